"""Measuring: CPU time of server and database over many calls, and the time each call took."""

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from benchmarks.engines import Engine, Meter
from benchmarks.processes import Process


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


Calls = Iterable[Callable[[], object]]


def measure(what: str, process: Process, engine: Engine | None, calls: Calls) -> Measured:
    """Make the calls one after another, timing each one."""
    return measure_together(what, process, engine, [calls])


def measure_together(
    what: str, process: Process, engine: Engine | None, clients: Sequence[Calls]
) -> Measured:
    """Let each of the clients make its calls one after another, all of them at once."""
    with ThreadPoolExecutor(len(clients)) as pool, spending(process, engine) as spent:
        took = [each for times in pool.map(_timed, clients) for each in times]
    return spent.each(what, took)


class Spent:
    """What server and database have spent while something was done."""

    def __init__(self, process: Process, engine: Engine | None) -> None:
        self._process = process
        self._database = Meter(engine) if engine is not None else None
        self._start = process.cpu_seconds()
        self._seconds = self._database_seconds = 0.0

    def stop(self) -> None:
        """Count no further."""
        self._seconds = self._process.cpu_seconds() - self._start
        if self._database is not None:
            self._database_seconds = self._database.seconds()

    def each(self, what: str, took: Sequence[float]) -> Measured:
        """The share of each of these times, which are milliseconds."""
        return Measured(
            what,
            times=len(took),
            cpu=self._seconds * 1e3 / len(took),
            database_cpu=self._database_seconds * 1e3 / len(took),
            p50=quantile(took, 0.5),
            p95=quantile(took, 0.95),
        )


@contextlib.contextmanager
def spending(process: Process, engine: Engine | None) -> Iterator[Spent]:
    """What is spent until the block ends."""
    spent = Spent(process, engine)
    yield spent
    spent.stop()


def _timed(calls: Calls) -> list[float]:
    """Make the calls; the milliseconds that each one took."""
    took = []
    for call in calls:
        began = time.perf_counter()
        call()
        took.append((time.perf_counter() - began) * 1e3)
    return took


def quantile(values: Iterable[float], part: float) -> float:
    """The value below which that part of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def say(text: str) -> None:
    """Show how far it is."""
    print(f"  {text}", flush=True)
