"""The commands of docs/worker.md can be given as they stand; the first ones do as told."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import worker.__main__
from worker.downloads import sources
from worker.downloads.parts import CannotFetch

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "worker.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def commands():
    for line in "\n".join(BLOCKS).splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["horde-worker"]:
            yield words[1:]


def test_every_documented_command_is_one():
    found = list(commands())
    assert ["doctor"] in found
    assert len(found) > 8
    for words in found:
        arguments = worker.__main__.parser().parse_args(words)
        if words[:2] == ["models", "add"]:
            try:
                assert sources.choose(arguments.name, arguments.source)
            except CannotFetch as error:
                assert "no such file" in str(error), words  # noqa: PT017 - a path of somebody's


def test_every_command_is_documented():
    table = set(re.findall(r"^\| `horde-worker ([a-z]+(?: [a-z]+)?)`", TEXT, re.MULTILINE))
    steps = {f"models {step}" for step in ("list", "add", "remove", "verify")}
    assert table == {"run", "doctor", "bench", *steps}


def test_the_first_minutes_go_as_documented(tmp_path):
    """Without a key, the first start makes the file and says what to put there."""
    program = Path(sys.prefix) / "bin" / "horde-worker"
    environment = {**os.environ, "WORKER_DATA_DIR": str(tmp_path)}

    def run(*words):
        return subprocess.run(
            [program, *words], check=False, capture_output=True, text=True, env=environment
        )

    first = run()
    assert first.returncode == 2
    file = tmp_path / "worker.toml"
    assert str(file) in first.stderr
    assert "api_key" in first.stderr
    text = file.read_text()
    assert '#api_key = ""' in text
    file.write_text(text.replace('#api_key = ""', 'api_key = "mine"'))
    listed = run("models", "list")
    assert listed.returncode == 0
    assert "horde-tiny" in listed.stdout
