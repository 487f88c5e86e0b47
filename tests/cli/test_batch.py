"""Many prompts: each is made exactly once, whatever ends the command or the server meanwhile."""

import csv
import hashlib
import json
import signal
import time

FAST = ("--per-minute", "60000", "--steps", "1")
SECONDS = 60


def manifest(folder):
    path = folder / "manifest.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def until(happened):
    ends = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < ends
        time.sleep(0.02)


def write_csv(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def check(folder, prompts):
    """Each prompt has one picture, one line of the manifest, and the file that the line says."""
    lines = manifest(folder)
    assert sorted(line["prompt"] for line in lines) == sorted(prompts)
    assert len({line["id"] for line in lines}) == len({line["file"] for line in lines})
    assert len({line["request"] for line in lines}) == len(prompts)
    for line in lines:
        content = (folder / line["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == line["sha256"]
        assert line["model"] == "horde-tiny"
        assert line["worker"] == "Light Worker"
        assert line["kudos"] > 0
        assert line["seed"].isdecimal()
    pictures = {path.name for path in folder.iterdir() if path.suffix == ".webp"}
    assert pictures == {line["file"] for line in lines}


def test_a_batch_that_is_killed_twice_makes_each_prompt_once(town, tmp_path):
    prompts = [f"fox number {number}" for number in range(40)]
    (tmp_path / "prompts.txt").write_text("\n".join(["# foxes", "", *prompts]))
    before = town.asked()
    command = ("generate", "--prompts", tmp_path / "prompts.txt", "-o", tmp_path / "out/", *FAST)
    for some in (5, 20):
        running = town.start(*command)
        until(lambda some=some: len(manifest(tmp_path / "out")) >= some)
        running.send_signal(signal.SIGKILL)
        running.communicate()
        assert len(manifest(tmp_path / "out")) < len(prompts), "it was done before it was killed"
    told = town.run(*command)
    assert "40 pictures of 40 prompts" in told
    check(tmp_path / "out", prompts)
    assert town.asked() - before == len(prompts), "the horde made some of them twice"
    assert "40 prompts of 40 made before" in town.run(*command)
    assert town.asked() - before == len(prompts)
