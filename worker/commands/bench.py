"""`horde-worker bench`: how much the worker costs over the bare library, on a fixed table."""

import argparse
import asyncio
import json
from pathlib import Path
from typing import Any, Final

from worker import logs, lookup, models
from worker.commands import told
from worker.configuration import files
from worker.environment import prepare_environment
from worker.memory import return_large_blocks

JOBS: Final = 16
ROUNDS: Final = 3


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    made = commands.add_parser("bench", help="measure the worker against the bare library")
    made.add_argument("--model", help="one of the models; the first of the settings by default")
    made.add_argument("--jobs", type=int, default=JOBS, help=f"pictures a round (default {JOBS})")
    made.add_argument("--rounds", type=int, default=ROUNDS, help=f"rounds (default {ROUNDS})")
    made.add_argument("--json", type=Path, metavar="FILE", help="write the result there, too")
    made.set_defaults(do=bench)


def bench(arguments: argparse.Namespace) -> int:
    """Measure, and print a table. Raises Wrong."""
    # Late, because nobody who serves needs it.
    from worker.bench import measure  # noqa: PLC0415

    settings = files.load(arguments.config).settings
    if arguments.jobs < 2 or arguments.rounds < 1:  # noqa: PLR2004 - from one end to the next
        raise told.Wrong("at least 2 jobs and 1 round make a measurement")
    logs.configure("text", "error")
    prepare_environment()
    return_large_blocks()
    named = [arguments.model] if arguments.model else lookup.wanted(settings, "image")[:1]
    if not named:
        raise told.Wrong("no model to measure with: name one with --model")
    try:
        model = models.find(named[0], lookup.folders(settings))
    except models.NotUsable as error:
        raise told.Wrong(str(error)) from None
    rounds = []
    for number in range(arguments.rounds):
        try:
            rounds.append(asyncio.run(measure.one_round(settings, model, arguments.jobs)))
        except measure.NotMeasured as error:
            told.error(str(error))
            return told.FAILED
        one = rounds[-1]
        told.line(
            f"round {number + 1}: worker {1 / one.worker_seconds:.3f}, bare "
            f"{1 / one.bare_seconds:.3f} images/s, "
            f"ratio {one.bare_seconds / one.worker_seconds:.3f}"
        )
    result = measure.summary(model.name, arguments.jobs, rounds)
    for sentence in _table(result):
        told.line(sentence)
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return told.FINE


def _table(result: dict[str, Any]) -> list[str]:
    return [f"{name.replace('_', ' '):<26}{value}" for name, value in result.items()]
