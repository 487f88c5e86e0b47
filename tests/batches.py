"""What a batch of `horde generate --prompts` has made so far, and whether that is all of it."""

import hashlib
import json
import time

SECONDS = 60


def manifest(folder):
    """The lines of the manifest as they are now."""
    path = folder / "manifest.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def until(happened, seconds=SECONDS):
    """Wait until something is so."""
    ends = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < ends
        time.sleep(0.02)  # nobody tells what another process has written


def check(folder, prompts, worker="Light Worker"):
    """Each prompt has one picture, one line of the manifest, and the file that the line says."""
    lines = manifest(folder)
    assert sorted(line["prompt"] for line in lines) == sorted(prompts)
    assert len({line["id"] for line in lines}) == len({line["file"] for line in lines})
    assert len({line["request"] for line in lines}) == len(prompts)
    for line in lines:
        content = (folder / line["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == line["sha256"]
        assert line["model"] == "horde-tiny"
        assert line["worker"] == worker
        assert line["kudos"] > 0
        assert line["seed"].isdecimal()
    pictures = {path.name for path in folder.iterdir() if path.suffix == ".webp"}
    assert pictures == {line["file"] for line in lines}
