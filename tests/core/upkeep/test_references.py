"""Fetching the model reference from a real server."""

import json

import pytest
from sqlalchemy import update

from core.catalog import models
from core.db import Database, now
from core.outside.addresses import Allowed
from core.outside.client import GuardedClient
from core.upkeep.references import References
from core.upkeep.tables import Lease
from outsiders import answer, outsider


@pytest.fixture
async def database(sqlite_url):
    database = Database(sqlite_url)
    yield database
    await database.close()
    models.use(None)


@pytest.fixture
async def client():
    client = GuardedClient(allowed=Allowed(["127.0.0.0/8", "::1"]), agent="tests/1")
    yield client
    await client.close()


def content(name):
    image = [{"name": name, "baseline": "flux_1"}]
    return json.dumps({"version": 1, "image": image, "text": []}).encode()


async def an_hour_later(database):
    async with database.writing() as session:
        await session.execute(update(Lease).values(until=now()))


async def test_one_process_fetches_and_all_use_it(database, client):
    async with outsider(answer(body=content("fox")), answer(body=content("owl"))) as server:
        one, other = (References(database, client, server.url(), fetches=True) for _ in range(2))
        for process in (one, other, one, other):
            models.use(None)
            process._digest = None  # as in a process of its own
            await process.turn()
            assert "fox" in models.known()
        assert len(server.calls) == 1
        await an_hour_later(database)
        await other.turn()
        await one.turn()
        assert len(server.calls) == 2
    assert "owl" in models.known()


async def test_a_process_without_upkeep_only_takes_over(database, client):
    async with outsider(answer(body=content("fox"))) as server:
        await References(database, client, server.url(), fetches=False).turn()
        assert not server.calls
        await References(database, client, server.url(), fetches=True).turn()
        models.use(None)
        await References(database, client, server.url(), fetches=False).take_over()
    assert "fox" in models.known()


@pytest.mark.parametrize("said", [answer(500), answer(body=b"<html>"), answer(302, Location="x:")])
async def test_what_is_bad_changes_nothing_and_is_asked_for_again_soon(database, client, said):
    async with outsider(answer(body=content("fox")), said) as server:
        references = References(database, client, server.url(), fetches=True)
        await references.turn()
        await an_hour_later(database)
        await references.turn()
        assert "fox" in models.known()
        await references.turn()
        assert len(server.calls) == 2  # not at once
        await an_hour_later(database)
        await references.turn()
    assert len(server.calls) == 3


async def test_without_a_url_there_is_nothing_to_do(database, client):
    references = References(database, client, "", fetches=True)
    await references.run()
    await references.take_over()
    assert models.current().images["horde-tiny"]
