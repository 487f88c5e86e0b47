"""`python -m benchmarks`: measure the server on each engine and print the figures.

CPU time is what to trust on a machine that does other things too; times until an answer grow with
its load, which stands beside them.
"""

import argparse
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import cycles, depth, engines, horde, processes, report, rush, waiting
from benchmarks.client import Client
from benchmarks.cycles import Clients
from benchmarks.horde import Horde
from benchmarks.measuring import Measured, measure, say
from benchmarks.report import Figures


@dataclass(frozen=True, slots=True)
class Amount:
    """How much is measured."""

    bare: int
    cycles: int
    steps: int
    waits: int
    pops: int
    rush: int
    """Jobs of many clients at once, and as many of one beside many workers."""
    rush_steps: int
    depths: tuple[int, ...]


STEPS, DEPTH, RUSH = PARTS = ("steps", "depth", "rush")

FULL = Amount(2_000, 100, 120, 20, 40, 160, 128, (100, 10_000, 100_000))
QUICK = Amount(200, 5, 5, 2, 5, 24, 16, (100,))


def main() -> None:
    """Run the benchmarks that were asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a little of everything, in seconds")
    parser.add_argument("--engine", choices=engines.ENGINES, action="append", help="only this one")
    parser.add_argument("--only", choices=PARTS, action="append", help="only this part")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures here")
    arguments = parser.parse_args()
    amount = QUICK if arguments.quick else FULL
    start = time.monotonic()
    print(f"on {report.machine()}\nfloor: a bare route on the same server", flush=True)
    floor = _floor(amount)
    parts = arguments.only or PARTS
    found = {name: _engine(name, amount, parts) for name in arguments.engine or engines.ENGINES}
    report.show(floor, found)
    if arguments.json is not None:
        report.write(arguments.json, floor, found)
    print(f"\nin {time.monotonic() - start:.0f} s")


def _floor(amount: Amount) -> list[Measured]:
    """What requests to a route that does nothing cost."""
    with processes.running(["-m", "benchmarks.floor"], {}) as bare, Client(bare.port) as client:
        calls = {
            "bare GET": partial(client.get, "/"),
            "bare POST": partial(client.post, "/", horde.asked(1)),
        }
        for call in calls.values():
            measure("warming up", bare, None, [call] * (amount.bare // 10))
        return [measure(what, bare, None, [call] * amount.bare) for what, call in calls.items()]


def _engine(name: str, amount: Amount, parts: Collection[str]) -> Figures:
    """All figures of a server on this engine."""
    print(f"{name}: starting", flush=True)
    with engines.running(name) as engine, horde.running(engine) as bench:
        memory = {"after start": bench.process.memory()[0]}
        rows = []
        for row in _rows(bench, amount, parts):
            say(f"{row.what}: {row.cpu:.2f} ms of CPU")
            rows.append(row)
        memory["at the end"], memory["at most"] = bench.process.memory()
    is_rushed = name == "postgresql" and RUSH in parts
    return Figures(rows, memory, _rush(amount) if is_rushed else [])


def _rush(amount: Amount) -> list[Measured]:
    """What many clients at once cost, of another server."""
    rows = []
    with engines.running("postgresql") as engine, horde.running(engine) as bench:
        for row in rush.rows(bench, amount.rush, amount.rush_steps):
            say(f"{row.what}: {row.cpu:.2f} ms of CPU")
            rows.append(row)
    return rows


def _rows(bench: Horde, amount: Amount, parts: Collection[str]) -> Iterator[Measured]:
    if STEPS in parts:
        yield cycles.whole(bench, amount.cycles)
        steps = cycles.steps(bench, amount.steps, Clients())
        yield from steps
        yield cycles.polled(steps)
        yield waiting.start_latency(bench, amount.waits)
    if DEPTH in parts:
        yield from depth.pops(bench, amount.depths, amount.pops)


if __name__ == "__main__":
    main()
