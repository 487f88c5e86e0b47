"""What /privacy promises: what was asked for, and from where, is gone when its time is over."""

from datetime import timedelta

import pytest
from sqlalchemy import select

import pictures
import serving
from core.columns import Base
from core.db import now
from core.moderation import addresses
from core.upkeep.steps import STEPS

PROXY, VISITOR = "198.51.100.7", "203.0.113.9"
PROMPT = "a fox from Zanzibar"


@pytest.fixture
async def server(sqlite_url, tmp_path):
    """A server behind a proxy. Each step's own test shows that it forgets on both engines."""
    async with serving.in_process(
        sqlite_url, tmp_path / "data", peer=PROXY, trusted_proxies=[PROXY]
    ) as server:
        yield server


async def stored(server):
    """All that the database has, and the names of all files."""
    async with server.database.reading() as session:
        tables = Base.metadata.sorted_tables
        rows = [(await session.execute(select(each))).all() for each in tables]
    files = [path.name for path in server.settings.pictures.rglob("*") if path.is_file()]
    return str(rows), files


async def keep_up(server, **later):
    """Do all of upkeep as if it were later, until nothing is left to do."""
    at = now() + timedelta(**later)
    more = True
    while more:
        more = False
        for step in STEPS:
            async with server.database.writing() as session:
                left = await step.run(session, server.horde, at)
            if left.after is not None:
                await left.after()
            more |= left.more


async def ask_from_afar(server, requester, **body):
    asked = {"prompt": PROMPT, "models": [], "nsfw": False, "params": serving.SMALL, **body}
    answer = await server.post(
        "/generate/async",
        asked,
        key=requester.key,
        X_Forwarded_For=VISITOR,
        Client_Agent="Spy:1:none",
    )
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


async def test_what_is_asked_for_is_kept_until_it_expires(server):
    requester, owner = await server.user("Requester", kudos=100), await server.user("Owner")
    await ask_from_afar(server, requester, source_image=pictures.SOURCE)
    delivered = await server.pop(owner.key)
    await server.deliver(owner.key, delivered)
    waiting = await ask_from_afar(server, requester, source_image=pictures.SOURCE)
    async with server.database.writing() as session:
        await addresses.punish(session, VISITOR, at=now())
    rows, files = await stored(server)
    assert PROMPT in rows
    assert VISITOR in rows
    assert len(files) >= 2
    await keep_up(server, minutes=19)
    assert (await server.get(f"/generate/check/{waiting}")).status_code == 200
    await keep_up(server, minutes=21)
    rows, files = await stored(server)
    assert PROMPT not in rows
    assert "Spy:1:none" not in rows
    assert files == []
    assert f"{VISITOR}/32" in rows, "a timeout is kept until its offences are a day old"
    await keep_up(server, hours=25)
    rows, _ = await stored(server)
    assert VISITOR not in rows
    assert (await server.get("/kudos/audit")).json()["balanced"]


async def test_a_cancelled_request_goes_the_same_way(server):
    requester = await server.user("Requester", kudos=100)
    request = await ask_from_afar(server, requester)
    await server.call("DELETE", f"/generate/status/{request}", key=requester.key)
    await keep_up(server, minutes=21)
    rows, _ = await stored(server)
    assert PROMPT not in rows
    assert VISITOR not in rows
