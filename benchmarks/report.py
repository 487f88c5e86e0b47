"""What was measured, as tables for people and as JSON."""

import json
import os
import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.measuring import Measured

HEAD = f"{'':<46}{'CPU ms':>9}{'of floor':>10}{'DB ms':>8}{'p50 ms':>9}{'p95 ms':>9}{'load':>6}"


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured of a server on one engine."""

    rows: list[Measured]
    memory: dict[str, float]
    """MB of the server process, by moment."""


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


def _table(title: str, rows: Iterable[Measured], bare: float) -> None:
    print(f"\n{title}\n{HEAD}")
    for row in rows:
        p95 = "" if row.p95 is None else f"{row.p95:.2f}"
        print(
            f"{row.what:<46}{row.cpu:>9.2f}{row.cpu / bare:>9.1f}x{row.database_cpu:>8.2f}"
            f"{row.p50:>9.2f}{p95:>9}{row.load:>6.1f}"
        )


def write(path: Path, floor: Sequence[Measured], engines: Mapping[str, Figures]) -> None:
    """Keep all figures as JSON; times are milliseconds, memory is MB."""
    figures = {
        "machine": machine(),
        "command": ["python", "-m", "benchmarks", *sys.argv[1:]],
        "floor": [asdict(row) for row in floor],
        "engines": {name: asdict(found) for name, found in engines.items()},
    }
    path.write_text(json.dumps(figures, indent=1) + "\n")
