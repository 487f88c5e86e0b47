import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import lists

ROOT = Path(__file__).parents[2]
SECONDS = 240


@pytest.mark.timeout(SECONDS + 30)
def test_a_quick_run_measures_everything_on_both_engines(tmp_path):
    figures = tmp_path / "figures.json"
    command = [sys.executable, "-m", "benchmarks", "--quick", "--json", figures]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(figures.read_text())
    assert len(found["floor"]) == 2
    assert found["engines"].keys() == {"sqlite", "postgresql"}
    for engine in found["engines"].values():
        rows = {row["what"]: row for row in engine["rows"]}
        assert "whole job" in rows
        assert {"pop at 100, matching", "pop at 100, nothing: all blacklisted"} <= rows.keys()
        assert all(row["p50"] > 0 and row["times"] > 0 for row in rows.values())
        assert rows["whole job"]["cpu"] > 0
        assert engine["memory"]["at most"] > 50
    assert "of floor" in done.stdout


@pytest.mark.timeout(SECONDS + 30)
def test_a_few_lists_are_measured():
    """Of few users and workers, in a moment."""
    few = ["--engine", "sqlite", "--users", "100", "--workers", "10", "--calls", "2"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.lists", *few],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for what in lists.PATHS:
        assert f"\n{what} " in done.stdout
