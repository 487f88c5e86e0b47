"""A batch of 300 by the shipped model, through all that can go wrong: each prompt is made once.

The command is killed twice, one time as the horde has just taken a request and its answer is under
way; the server is killed and started again; its limits are on, and the command asks faster than
they let. It takes five minutes on an idle machine, as 90 requests may be asked in a minute.
"""

import asyncio
import contextlib
import sqlite3

import pytest

import town as towns
import working
from batches import check, manifest, until
from core.queue.tables import JobState
from lines import Line

pytestmark = [pytest.mark.long, pytest.mark.model, pytest.mark.timeout(1700)]

MANY = 300
SECONDS = 1500
MIN_REFUSALS = 5
TAX = 100
"""Of a request, in hundredths of a kudos."""
OPTIONS = ("--size", "256x256", "--steps", "4", "--per-minute", "600")


async def test_each_of_300_prompts_is_made_and_paid_once(databases, tmp_path, free_port):
    prompts = [f"a red fox, number {number}" for number in range(MANY)]
    (tmp_path / "prompts.txt").write_text("\n".join(prompts))
    out = tmp_path / "out"
    command = ("generate", "--prompts", tmp_path / "prompts.txt", "-o", f"{out}/", *OPTIONS)
    settings = {"port": free_port, "rate_limits": "on"}
    with contextlib.ExitStack() as running:
        nobodys = towns.open_town(tmp_path, databases, worker=False, trusted=False, **settings)
        town = running.enter_context(nobodys)
        running.enter_context(working.process(town.server.url, town.owner.key, name="Tiny"))
        line = Line(free_port, b"POST /api/v2/generate/async")
        line.answered.set()  # all is passed, until an answer shall get lost

        async def made(some):
            await asyncio.to_thread(until, lambda: len(manifest(out)) >= some, SECONDS)

        async with line.opened():
            batch = town.start(*command, HORDE_URL=line.url)
            await made(40)
            line.lose()
            await asyncio.wait_for(line.answered.wait(), SECONDS)
            await killed(batch)
            batch = town.start(*command, HORDE_URL=line.url)
            await made(120)
            town.server.kill()
            running.enter_context(town.again(**settings))
            await made(180)
            await killed(batch)
            assert len(manifest(out)) < MANY, "it was done before it was killed"
            batch = town.start(*command, HORDE_URL=line.url)
            told, _ = await asyncio.to_thread(batch.communicate, timeout=SECONDS)
            assert batch.returncode == 0, told
            assert f"{MANY} pictures of {MANY} prompts" in told
        check(out, prompts, worker="Tiny")
        check_books(town, manifest(out))
        assert line.refusals >= MIN_REFUSALS


async def killed(batch):
    batch.kill()
    await asyncio.to_thread(batch.communicate)


def check_books(town, lines):
    """The server has each prompt once, made once, charged once; and nothing else of the person."""
    person, kudos = town.person.id, sum(round(line["kudos"] * 100) for line in lines)
    with contextlib.closing(sqlite3.connect(town.database)) as database:

        def rows(statement):
            return database.execute(statement, (person,)).fetchall()

        asked = rows("SELECT count(*), count(DISTINCT prompt) FROM requests WHERE user_id = ?")
        jobs = rows("SELECT state, count(*) FROM jobs WHERE user_id = ? GROUP BY state")
        tries = rows(
            "SELECT count(*), count(DISTINCT job_id), sum(charge) FROM attempts"
            " WHERE user_id = ? AND outcome = 1"
        )
        paid = rows(
            "SELECT kind, count(*), sum(amount) FROM ledger_entries JOIN ledger_events"
            " ON ledger_events.id = event_id WHERE kind IN ('settlement', 'tax')"
            " AND account_id = (SELECT account_id FROM users WHERE id = ?) GROUP BY kind"
        )
        held = rows(
            "SELECT held FROM accounts WHERE id = (SELECT account_id FROM users WHERE id = ?)"
        )
    assert asked == [(MANY, MANY)]
    assert jobs == [(JobState.DONE, MANY)]
    assert tries == [(MANY, MANY, kudos - MANY * TAX)]
    assert paid == [("settlement", MANY, MANY * TAX - kudos), ("tax", MANY, -MANY * TAX)]
    assert held == [(0,)]
