"""Many prompts: each is made exactly once, whatever ends the command or the server meanwhile."""

import asyncio
import csv
import json
import signal
import sqlite3
import sys

import pytest
from PIL import Image

import town as towns
from batches import SECONDS, check, manifest, until
from cli import words
from lines import Line

pytestmark = pytest.mark.timeout(400)  # servers and workers take their time to start

FAST = ("--per-minute", "60000", "--steps", "1")
ASK = b"POST /api/v2/generate/async"


def write_csv(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


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


def test_a_server_that_restarts_and_its_limits_cost_nothing(databases, tmp_path, free_port):
    """Two asks a second are allowed; the server dies in the middle and comes back."""
    prompts = [f"fox number {number}" for number in range(12)]
    (tmp_path / "prompts.jsonl").write_text("\n".join(map(json.dumps, prompts)))
    settings = {"port": free_port, "rate_limits": "on"}
    with towns.open_town(tmp_path, databases, **settings) as town:
        out = tmp_path / "out"
        command = ("generate", "--prompts", tmp_path / "prompts.jsonl", "-o", f"{out}/", "-s", "8")
        running = town.start(*command, "--json")
        until(lambda: len(manifest(out)) >= 3)
        town.server.kill()
        with town.again(**settings):
            printed, _ = running.communicate(timeout=SECONDS)
            assert running.returncode == 0, printed
            assert "does not answer" in printed
            check(out, prompts)
            assert town.asked() == len(prompts)


def test_ctrl_c_saves_what_is_done_and_takes_back_the_rest(town, tmp_path):
    prompts = [f"fox number {number}" for number in range(30)]
    (tmp_path / "prompts.txt").write_text("\n".join(prompts))
    out = tmp_path / "out"
    slow = ("--per-minute", "60000", "--steps", "60")
    running = town.start("generate", "--prompts", tmp_path / "prompts.txt", "-o", f"{out}/", *slow)
    until(lambda: len(manifest(out)) >= 2)
    running.send_signal(signal.SIGINT)
    printed, _ = running.communicate(timeout=SECONDS)
    assert running.returncode == 6, printed
    assert "left" in printed
    assert "Cancelled." in printed
    made = len(manifest(out))
    assert 2 <= made < len(prompts)
    assert len(list(out.glob("*.webp"))) == made
    with sqlite3.connect(town.database) as database:
        waiting = "SELECT count(*) FROM jobs WHERE state = 0"
        assert database.execute(waiting).fetchone()[0] == 0


def test_a_spreadsheet_gives_each_picture_its_name_and_parameters(town, tmp_path):
    rows = [
        {"prompt": "a fox", "name": "fox", "n": "2", "size": "128x64", "title": "Foxes"},
        {"prompt": "a cat", "name": "cat", "n": "", "size": "64x64", "title": "Cats"},
        {"prompt": "a dog", "name": "cat", "n": "", "size": "65x64", "title": "Dogs"},
    ]
    write_csv(tmp_path / "articles.csv", rows)
    out = tmp_path / "out"
    sheet = ("--grid", out / "sheet.png", "--columns", "3")
    command = ("generate", "--prompts", tmp_path / "articles.csv", "-o", f"{out}/", *FAST, *sheet)
    assert "65 is not a multiple of 64" in town.run(*command, status=2)
    assert not out.exists()
    write_csv(tmp_path / "articles.csv", rows[:2])
    assert "kudos" in town.run(*command, "--dry-run")
    town.run(*command, "--format", "png")
    lines = sorted(manifest(out), key=lambda line: (line["item"], line["index"]))
    assert [line["file"] for line in lines] == ["fox.png", "fox-1.png", "cat.png"]
    assert [line["row"]["title"] for line in lines] == ["Foxes", "Foxes", "Cats"]
    with Image.open(out / "fox.png") as picture:
        assert picture.size == (128, 64)
        assert "a fox\n" in picture.text["parameters"]
    with Image.open(out / "sheet.png") as picture:
        assert picture.size == (3 * 128, 64)
        assert picture.mode == "RGBA"


def test_what_cannot_be_made_is_told_and_tried_again(town, tmp_path):
    out = tmp_path / "out"
    (tmp_path / "prompts.txt").write_text("refuse\na fox\n")
    command = ("generate", "--prompts", tmp_path / "prompts.txt", "-o", f"{out}/", *FAST)
    told = town.run(*command, status=4)
    assert "Prompt 1 was not made: Picture 1 failed" in told
    assert "1 picture of 2 prompts, 1 prompt left" in told
    before = town.asked()
    town.run(*command, status=4)
    assert town.asked() == before + 1
    assert [line["prompt"] for line in manifest(out)] == ["a fox"]


def test_a_request_of_a_killed_command_is_taken_up_again(town, tmp_path):
    go = tmp_path / "go"
    running = town.start("generate", f"wait {go}", "-s", "8", "-o", tmp_path / "fox.png")
    for line in running.stdout:
        if "being made" in line:
            break
    running.kill()
    running.communicate()
    go.touch()
    told = town.run("wait", "last")
    assert "fox.png: seed" in told
    assert (tmp_path / "fox.png").exists()
    assert "done" in town.run("jobs", "-n", "1")


@pytest.mark.parametrize("who", ["a person", "anonymous"])
async def test_a_request_whose_answer_was_lost_is_not_asked_twice(town, tmp_path, who):
    """The horde has it, and the command is killed before it knows: the journal says what to ask."""
    prompts = [f"fox number {number}" for number in range(12)]
    (tmp_path / "prompts.txt").write_text("\n".join(prompts))
    out = tmp_path / "out"
    command = ("generate", "--prompts", tmp_path / "prompts.txt", "-o", f"{out}/", *FAST)
    key = {} if who == "a person" else {"HORDE_API_KEY": "0000000000"}
    before = town.asked()
    async with Line(int(town.server.url.rpartition(":")[2]), ASK).opened() as line:
        for _ in range(2):
            running = town.start(*command, HORDE_URL=line.url, **key)
            await asyncio.wait_for(line.answered.wait(), SECONDS)
            running.kill()
            await asyncio.to_thread(running.communicate)
            line.lose()
        line.answered.set()
        told = await asyncio.to_thread(town.run, *command, HORDE_URL=line.url, **key)
    assert "12 pictures of 12 prompts" in told
    check(out, prompts)
    assert town.asked() - before == len(prompts)


def test_the_manifest_has_what_was_paid_however_it_was_watched(town, tmp_path):
    """By streams and by polling, for one picture and for several: with what the request costs."""
    before = town.kudos()
    rows = [{"prompt": f"fox {number}", "n": 1 + number % 3} for number in range(6)]
    write_csv(tmp_path / "foxes.csv", rows)
    for folder, streams in [("streamed", 16), ("polled", 0)]:
        program = f"""
import cli.batch.watching
from cli.__main__ import main
cli.batch.watching.MAX_STREAMS = {streams}
main()
"""
        options = ("generate", "--prompts", tmp_path / "foxes.csv", "-o", tmp_path / folder, *FAST)
        told = town.program(sys.executable, "-c", program, *options)
        lines = manifest(tmp_path / folder)
        paid = sum(line["kudos"] for line in lines)
        assert len(lines) == 12
        assert before - town.kudos() == pytest.approx(paid, abs=0.1)
        assert f"{words.amount(paid)} kudos" in told
        before = town.kudos()
