"""Where compiled modules go that Python would not keep."""

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from worker import bytecode
bytecode.keep("library")
import library
"""


def compiled_of(tmp_path, *, keeps):
    """Import a library; gives where its bytecode is afterwards."""
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "library.py").write_text("one = 1")
    subprocess.run(
        [sys.executable, "-c", PROGRAM, tmp_path / "there"],
        env={"XDG_CACHE_HOME": str(tmp_path / "cache")}
        | ({} if keeps else {"PYTHONDONTWRITEBYTECODE": "1"}),
        cwd=Path(__file__).parents[2],
        check=True,
        timeout=60,
    )
    return [path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("library*.pyc")]


def test_bytecode_is_kept_in_the_cache_where_none_may_be_beside_its_source(tmp_path):
    assert compiled_of(tmp_path, keeps=False) == ["cache"]


def test_bytecode_stays_where_python_keeps_it(tmp_path):
    assert compiled_of(tmp_path, keeps=True) == ["there"]
