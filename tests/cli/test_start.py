"""What can be in the way when `horde up` starts: one line says what."""

import subprocess
import sys

import pytest

import processes


def up(data_dir):
    """The exit status of `horde up`, and what it said on stderr."""
    ended = subprocess.run(
        [sys.executable, "-m", "cli", "up", "--port", "0", "--data-dir", str(data_dir)],
        cwd=processes.ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return ended.returncode, ended.stderr


def test_a_plain_file_called_log(tmp_path):
    (tmp_path / "log").touch()
    status, told = up(tmp_path)
    assert status == 1
    assert " ".join(told.split()).endswith("logs are kept in a folder of that name.")
    assert "Traceback" not in told
    assert (tmp_path / "horde.lock").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("place", ["a file", "a file/data"])
def test_a_data_folder_that_is_none(tmp_path, place):
    (tmp_path / "a file").touch()
    status, told = up(tmp_path / place)
    assert status == 1
    assert "The data folder" in told
    assert "Traceback" not in told


def test_a_secret_that_is_none(tmp_path):
    (tmp_path / "secret").touch()
    status, told = up(tmp_path)
    assert status == 1
    assert "put the right one back" in " ".join(told.lower().split())
    assert "Traceback" not in told
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in tmp_path.rglob("*")} == {
        "horde.lock": "0o600",
        "horde.sqlite": "0o600",
        "log": "0o700",
        "secret": "0o600",
        "server.log": "0o600",
    }


@pytest.mark.parametrize(
    ("absent", "arguments", "extras"),
    [
        (("quart", "torch"), ("up",), "server,worker"),
        (("torch",), ("demo", "--prompt", "a fox", "--out", "fox.png"), "worker"),
        (("quart", "torch"), ("up", "--no-worker"), "server"),
    ],
)
def test_a_command_that_was_installed_alone_says_what_more_it_needs(
    tmp_path, absent, arguments, extras
):
    absence = "".join(f"sys.modules[{name!r}] = None; " for name in absent)
    script = f"import sys; {absence}from cli.__main__ import main; main()"
    ended = subprocess.run(
        [sys.executable, "-c", script, *arguments, "--data-dir", str(tmp_path / "data")],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.endswith(f'pip install "stable-horde[{extras}]"\n')
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "data").exists()
