"""`horde-worker doctor`: looks at everything a worker needs, and says what to do about the rest."""

import argparse
import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict
from typing import Final

from worker.commands import told
from worker.configuration import files
from worker.configuration.files import Loaded
from worker.doctor import machine, models, server
from worker.doctor.finding import Finding, Grade

MARKS: Final = {Grade.FINE: "ok", Grade.ODD: "!!", Grade.BAD: "NO"}


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    made = commands.add_parser("doctor", help="look at everything, and say what to do about it")
    made.add_argument("--json", action="store_true", help="print it for programs")
    made.set_defaults(do=doctor)


def doctor(arguments: argparse.Namespace) -> int:
    """Print what was found; the exit status is 1 where something keeps the worker from serving."""
    loaded = files.load(arguments.config)
    findings = asyncio.run(_all(loaded, aloud=not arguments.json))
    if arguments.json:
        told.line(json.dumps([asdict(one) for one in findings]))
    bad = sum(one.grade is Grade.BAD for one in findings)
    if not arguments.json:
        told.line(f"{bad} of {len(findings)} keep this worker from serving" if bad else "all well")
    return told.FAILED if bad else told.FINE


async def _all(loaded: Loaded, *, aloud: bool) -> list[Finding]:
    findings = []
    async for one in _findings(loaded):
        findings.append(one)
        if aloud:
            for sentence in _lines(one):
                told.line(sentence)
    return findings


async def _findings(loaded: Loaded) -> AsyncIterator[Finding]:
    settings = loaded.settings
    yield _file(loaded)
    for one in machine.versions():
        yield one
    yield await machine.device(settings)
    yield machine.memory()
    for one in machine.disk(settings):
        yield one
    for one in models.found(settings):
        yield one
    async for one in server.asked(settings):
        yield one


def _file(loaded: Loaded) -> Finding:
    if loaded.notes:
        return Finding("settings", Grade.ODD, str(loaded.path), "; ".join(loaded.notes))
    if not loaded.path.exists():
        return Finding("settings", Grade.FINE, f"no {loaded.path} yet: `horde-worker run` makes it")
    return Finding("settings", Grade.FINE, str(loaded.path))


def _lines(one: Finding) -> Iterator[str]:
    yield f"{MARKS[one.grade]:>2}  {one.what}: {one.found}"
    if one.advice:
        yield f"      {one.advice}"
