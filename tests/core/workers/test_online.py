from datetime import timedelta

import pytest

import factories
from core.db import now
from core.workers import fleet, online
from core.workers.online import Online


@pytest.fixture
async def worker(session):
    owner, _ = await factories.user(session)
    return await fleet.check_in(session, owner, factories.declared(threads=3), at=now())


async def test_workers_that_are_there_serve(session, worker):
    seen = Online()
    await seen.refresh(session, at=now())
    (server,) = seen.servers
    assert (server.offer, server.speed, server.threads) == (worker.offer, 1_000_000.0, 3)
    assert [row.id for row in seen.workers] == [worker.id]


async def test_a_measured_speed_is_used(session, worker):
    await factories.change_worker(session, worker.id, speed=123.0)
    seen = Online()
    await seen.refresh(session, at=now())
    assert seen.servers[0].speed == 123.0


@pytest.mark.parametrize("state", [{"paused": True}, {"maintenance": True}])
async def test_who_does_not_serve_everybody_is_no_server(session, worker, state):
    await factories.change_worker(session, worker.id, **state)
    seen = Online()
    await seen.refresh(session, at=now())
    assert seen.servers == []
    assert len(seen.workers) == 1


async def test_who_is_away_is_not_online(session, worker):
    seen = Online()
    await seen.refresh(session, at=now() + timedelta(seconds=301))
    assert not seen.workers


async def test_it_looks_again_after_a_while_or_when_told(session, worker, monkeypatch):
    seen = Online()
    await seen.refresh(session, at=now())
    await factories.change_worker(session, worker.id, paused=True)
    await seen.refresh(session, at=now())
    assert len(seen.servers) == 1
    seen.forget()
    await seen.refresh(session, at=now())
    assert seen.servers == []
    await factories.change_worker(session, worker.id, paused=False)
    monkeypatch.setattr(online, "SEEN_AGAIN_SECONDS", 0)
    await seen.refresh(session, at=now())
    assert len(seen.servers) == 1
