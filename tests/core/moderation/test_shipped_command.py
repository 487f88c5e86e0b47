import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def loaded(data_dir):
    """What `python -m core filters load` says on the database of this folder."""
    return subprocess.run(
        [sys.executable, "-m", "core", "filters", "load"],
        cwd=ROOT,
        env=os.environ | {"HORDE_DATA_DIR": str(data_dir)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_what_ships_is_added_once(tmp_path):
    assert int(loaded(tmp_path).removesuffix(" filters added\n")) > 10
    assert loaded(tmp_path) == "0 filters added\n"
