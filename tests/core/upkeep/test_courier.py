"""The courier with real servers as receivers."""

import asyncio
import hashlib
import hmac
import json

import pytest
from sqlalchemy import select, update

from core.db import Database, now
from core.outbox import letters, signing
from core.outbox.tables import LetterRow
from core.outside.addresses import Allowed
from core.outside.client import GuardedClient
from core.upkeep import courier as module
from core.upkeep.courier import Courier
from outsiders import answer, certificate, outsider

SECRET = b"the server's secret for webhooks"


@pytest.fixture
async def database(sqlite_url):
    database = Database(sqlite_url)
    yield database
    await database.close()


@pytest.fixture
def tls(tmp_path, monkeypatch):
    context, trusted = certificate(tmp_path, "localhost", "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    return context


@pytest.fixture
async def courier(database, tls):
    client = GuardedClient(allowed=Allowed(["localhost", "127.0.0.1"]), agent="tests/1")
    yield Courier(database, client, SECRET)
    await client.close()


async def put(database, url, **body):
    async with database.writing() as session:
        assert await letters.put(session, user_id=7, url=url, body=body, at=now())


async def round_(courier):
    """Send what is due and wait until it is settled."""
    sending = list(await courier.turn())
    await asyncio.gather(*sending)
    return len(sending)


async def left(database):
    async with database.reading() as session:
        return list(await session.scalars(select(LetterRow.tries)))


async def make_due(database):
    async with database.writing() as session:
        await session.execute(update(LetterRow).values(due_at=now()))


async def test_a_letter_arrives_once_and_signed(database, courier, tls):
    async with outsider(tls=tls) as server:
        await put(database, server.url("/hook"), img="a", seed=1)
        assert await round_(courier) == 1
        assert await round_(courier) == 0
    (call,) = server.calls
    assert (call.method, call.path) == ("POST", "/hook")
    assert json.loads(call.body) == {"img": "a", "seed": 1}
    moment, digest = call.headers["horde-signature"].split(",")
    key = signing.key_of(SECRET, 7).encode()
    signed = moment.removeprefix("t=").encode() + b"." + call.body
    assert digest == "v1=" + hmac.new(key, signed, hashlib.sha256).hexdigest()
    assert len(call.headers["horde-delivery"]) == 36
    assert await left(database) == []


async def test_what_fails_is_tried_again_with_the_same_name(database, courier, tls):
    async with outsider(answer(500), answer(200), tls=tls) as server:
        await put(database, server.url())
        await round_(courier)
        assert await left(database) == [1]
        assert await round_(courier) == 0  # not due yet
        await make_due(database)
        await round_(courier)
    assert await left(database) == []
    assert len({call.headers["horde-delivery"] for call in server.calls}) == 1


@pytest.mark.parametrize(("status", "kept"), [(204, 0), (302, 1), (404, 1), (410, 0)])
async def test_what_a_status_means(database, courier, tls, status, kept):
    async with outsider(answer(status), tls=tls) as server:
        await put(database, server.url())
        await round_(courier)
    assert len(await left(database)) == kept


async def test_what_may_not_be_called_is_given_up_at_once(database, courier):
    await put(database, "https://127.0.0.2:1/")
    await round_(courier)
    assert await left(database) == []


async def test_nobody_home(database, courier, free_port):
    await put(database, f"https://localhost:{free_port}/")
    await round_(courier)
    assert await left(database) == [1]


async def test_a_host_that_does_not_answer_holds_up_nobody_else(database, courier, tls):
    async with outsider(tls=tls) as slow, outsider(tls=tls) as quick:
        slow.open.clear()
        for _ in range(module.MAX_FOR_A_HOST + 2):
            await put(database, slow.url())
        await courier.turn()
        await slow.heard.wait()
        await put(database, quick.url(host="127.0.0.1"))
        sending = await courier.turn()
        await quick.heard.wait()
        assert len(sending) == module.MAX_FOR_A_HOST + 1
        slow.open.set()
        while await left(database):
            await asyncio.gather(*await courier.turn())
    assert len(slow.calls) == module.MAX_FOR_A_HOST + 2


async def test_it_runs_until_cancelled_and_leaves_what_it_was_sending(database, courier, tls):
    async with outsider(tls=tls) as server:
        server.open.clear()
        await put(database, server.url())
        running = asyncio.create_task(courier.run())
        await server.heard.wait()
        running.cancel()
        await asyncio.wait([running])
        assert running.cancelled()
    assert await left(database) == [1]
