"""Measuring: CPU time of server and database over many calls, and the time each call took."""

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from benchmarks.engines import Engine, Meter
from benchmarks.processes import Process

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Measured:
    """What one thing costs, times in milliseconds."""

    what: str
    times: int
    """How often it was done."""
    cpu: float
    """Of the server process, each; all of its threads, user and kernel mode."""
    database_cpu: float
    """Of PostgreSQL's processes, each; 0 with SQLite, which is part of the server."""
    p50: float
    """Of the time until the answer, as the client sees it."""
    p95: float | None
    load: float = field(default_factory=lambda: os.getloadavg()[0])
    """Of the machine in the last minute, when this was measured."""


def measure(
    what: str, process: Process, engine: Engine | None, calls: Iterable[Callable[[], object]]
) -> Measured:
    """Make the calls one after another, timing each one."""
    took = []
    database = Meter(engine) if engine is not None else None
    start = process.cpu_seconds()
    for call in calls:
        began = time.perf_counter()
        call()
        took.append((time.perf_counter() - began) * 1e3)
    used = process.cpu_seconds() - start
    return Measured(
        what,
        times=len(took),
        cpu=used * 1e3 / len(took),
        database_cpu=database.seconds() * 1e3 / len(took) if database is not None else 0.0,
        p50=quantile(took, 0.5),
        p95=quantile(took, 0.95),
    )


def quantile(values: Iterable[float], part: float) -> float:
    """The value below which that part of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def say(text: str) -> None:
    """Show how far it is."""
    print(f"  {text}", flush=True)
