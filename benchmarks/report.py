"""What was measured, as tables for people and as JSON."""

import json
import os
import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.measuring import Measured
from benchmarks.rush import BESIDE_IDLE, MANY

HEAD = f"{'':<64}{'CPU ms':>9}{'of floor':>10}{'DB ms':>8}{'p50 ms':>9}{'p95 ms':>9}{'load':>6}"


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured of a server on one engine."""

    rows: list[Measured]
    memory: dict[str, float]
    """MB of the server process, by moment."""
    rush: list[Measured] = field(default_factory=list)
    """Of another server on it: what one client does alone, and what many do at once."""


def machine() -> str:
    """What it runs on."""
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, load {load}"
    )


def show(floor: Sequence[Measured], engines: Mapping[str, Figures]) -> None:
    """Print everything; ratios are to the CPU time of a bare POST, the last row of `floor`."""
    bare = floor[-1].cpu
    _table("floor: a bare Quart route", floor, bare)
    for name, figures in engines.items():
        _table(name, figures.rows, bare)
        memory = ", ".join(f"{megabytes:.0f} {when}" for when, megabytes in figures.memory.items())
        print(f"memory of the server in MB: {memory}")
        if figures.rush:
            _table(f"{name}: one client and many", figures.rush, bare)
            _beside(figures.rush)


def _table(title: str, rows: Iterable[Measured], bare: float) -> None:
    print(f"\n{title}\n{HEAD}")
    for row in rows:
        p95 = "" if row.p95 is None else f"{row.p95:.2f}"
        print(
            f"{row.what:<64}{row.cpu:>9.2f}{row.cpu / bare:>9.1f}x{row.database_cpu:>8.2f}"
            f"{row.p50:>9.2f}{p95:>9}{row.load:>6.1f}"
        )


def _beside(rows: Sequence[Measured]) -> None:
    """Print what each thing costs, server and database together, to what it costs alone."""
    cost = {row.what: row.cpu + row.database_cpu for row in rows}
    ways = ("", MANY.suffix, BESIDE_IDLE.suffix, MANY.suffix + BESIDE_IDLE.suffix)
    names = ("ms alone", "16 + 8", "400 idle", "both")
    print(f"\n{'CPU of both, to that alone':<46}" + "".join(f"{name:>10}" for name in names))
    for what, alone in cost.items():
        if what + MANY.suffix in cost and alone:  # the clock of CPU time ticks, and may not have
            ratios = [cost[what + way] / alone for way in ways[1:] if what + way in cost]
            print(f"{what:<46}{alone:>10.2f}" + "".join(f"{ratio:>9.2f}x" for ratio in ratios))


def write(path: Path, floor: Sequence[Measured], engines: Mapping[str, Figures]) -> None:
    """Keep all figures as JSON; times are milliseconds, memory is MB."""
    figures = {
        "machine": machine(),
        "command": ["python", "-m", "benchmarks", *sys.argv[1:]],
        "floor": [asdict(row) for row in floor],
        "engines": {name: asdict(found) for name, found in engines.items()},
    }
    path.write_text(json.dumps(figures, indent=1) + "\n")
