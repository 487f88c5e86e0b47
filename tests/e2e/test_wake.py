"""A worker that waits at one server is woken by a request at another."""

import asyncio
import contextlib
from uuid import UUID

import pytest

import serving
from core.generation import waiters
from core.generation.horde import channel_of


@pytest.fixture
def only_events_wake(monkeypatch):
    """A waiting pop does not look again by itself, so whatever it gets came by an event."""
    monkeypatch.setattr(waiters, "LOOK_AGAIN_SECONDS", 1000.0)


@pytest.fixture(params=["notify", "redis"])
async def two(request, postgres_url, tmp_path):
    """Two servers on one database, which tell each other by PostgreSQL or by Redis."""
    settings = {}
    if request.param == "redis":
        settings["redis_url"] = request.getfixturevalue("redis_url")
    async with contextlib.AsyncExitStack() as running:
        yield [
            await running.enter_async_context(
                serving.in_process(postgres_url, tmp_path, **settings)
            )
            for _ in range(2)
        ]


async def test_a_request_wakes_a_worker_at_another_server(two, only_events_wake):
    here, there = two
    owner = await there.user("Owner")
    waiting = asyncio.create_task(there.pop(owner.key, wait=30))
    async with asyncio.timeout(25):
        while not there.horde.waiters._line:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
        request_id = await here.ask()
        popped = await waiting
        assert popped["id"]
        await there.deliver(owner.key, popped)
        status = (await here.get(f"/generate/status/{request_id}")).json()
        assert [one["id"] for one in status["generations"]] == [popped["id"]]


async def test_who_watches_at_one_server_hears_of_another(two):
    here, there = two
    owner = await there.user("Owner")
    request_id = await here.ask()
    async with here.horde.bus.subscribe(channel_of(UUID(request_id))) as messages:
        async with asyncio.timeout(25):
            await there.deliver(owner.key, await there.pop(owner.key))
            assert [await anext(messages) for _ in range(2)] == [
                {"what": "processing"},
                {"what": "done"},
            ]
