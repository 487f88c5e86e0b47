"""A batch of 300 by the shipped model, through all that can go wrong: each prompt is made once.

The command is killed twice, one time as the horde has just taken a request and the answer is under
way; the server is killed and started again; its limits are on, and refuse again and again.
"""

import asyncio
import contextlib
import sqlite3
import time

import pytest

import town as towns
import working
from batches import check, manifest, until
from lines import Line

pytestmark = [pytest.mark.long, pytest.mark.model, pytest.mark.timeout(1700)]

MANY = 300
MINUTES = 20
SIZE = ("--size", "256x256", "--steps", "4")
EAGER = ("--per-minute", "600")
"""More than a horde lets, which is 90."""
DONE, COUNTED = 3, "ledger_events.kind, count(*), count(DISTINCT key), -sum(amount)"


def in_books(town):
    """What the server knows: requests, and events of the person's account by kind."""
    with contextlib.closing(sqlite3.connect(town.database)) as database:
        requests = "SELECT count(*), count(DISTINCT prompt) FROM requests WHERE user_id = ?"
        jobs = "SELECT state, count(*) FROM jobs WHERE user_id = ? GROUP BY state"
        delivered = (
            "SELECT outcome, count(*), sum(charge) FROM attempts WHERE user_id = ? GROUP BY outcome"
        )
        of_person = (town.person.id,)
        return (
            database.execute(requests, of_person).fetchall(),
            database.execute(jobs, of_person).fetchall(),
            database.execute(delivered, of_person).fetchall(),
        )


async def test_each_of_300_prompts_is_made_once(databases, tmp_path, free_port):
    prompts = [f"a red fox, number {number}" for number in range(MANY)]
    (tmp_path / "prompts.txt").write_text("\n".join(prompts))
    out = tmp_path / "out"
    command = ("generate", "--prompts", tmp_path / "prompts.txt", "-o", f"{out}/", *SIZE, *EAGER)
    settings = {"port": free_port, "rate_limits": "on"}
    with contextlib.ExitStack() as running:
        town = running.enter_context(towns.open_town(tmp_path, databases, worker=False, **settings))
        running.enter_context(working.process(town.server.url, town.owner.key, name="Tiny"))
        line = Line(free_port, b"POST /api/v2/generate/async")
        line.answered.set()
        async with line.opened():

            async def made(some):
                await asyncio.to_thread(until, lambda: len(manifest(out)) >= some, MINUTES * 60)

            begun = time.monotonic()
            batch = town.start(*command, HORDE_URL=line.url)
            await made(40)
            line.lose()
            await asyncio.wait_for(line.answered.wait(), 60)
            await killed(batch)
            batch = town.start(*command, HORDE_URL=line.url)
            await made(120)
            town.server.kill()
            running.enter_context(town.again(**settings))
            await made(180)
            await killed(batch)
            assert len(manifest(out)) < MANY
            batch = town.start(*command, HORDE_URL=line.url)
            told, _ = await asyncio.to_thread(batch.communicate, timeout=MINUTES * 60)
            assert batch.returncode == 0, told
            assert f"{MANY} pictures of {MANY} prompts" in told
            print(f"{time.monotonic() - begun:.0f} s, {line.refusals} refusals", in_books(town))
            assert line.refusals > 10
        check(out, prompts, worker="Tiny")


async def killed(batch):
    batch.kill()
    await asyncio.to_thread(batch.communicate)
