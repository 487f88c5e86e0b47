from datetime import timedelta
from types import SimpleNamespace

import pytest

import factories
from core.db import now
from core.queue import pace
from core.workers import fleet, online
from core.workers.online import Online


@pytest.fixture
async def worker(session):
    owner, _ = await factories.user(session)
    return await fleet.check_in(session, owner, factories.declared(threads=3), at=now())


async def test_workers_that_are_there_serve(session, worker):
    seen = Online()
    await seen.refresh(session, at=now())
    (server,) = seen.serving
    assert (server.offer, server.speed, server.threads) == (worker.offer, 1_000_000.0, 3)
    assert [row.id for row in seen.workers] == [worker.id]


async def test_a_measured_speed_is_used(session, worker):
    await factories.change_worker(session, worker.id, speed=123.0)
    seen = Online()
    await seen.refresh(session, at=now())
    assert seen.serving[0].speed == 123.0


@pytest.mark.parametrize("state", [{"paused": True}, {"maintenance": True}])
async def test_who_does_not_serve_everybody_is_no_server(session, worker, state):
    await factories.change_worker(session, worker.id, **state)
    seen = Online()
    await seen.refresh(session, at=now())
    assert seen.serving == []
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
    assert len(seen.serving) == 1
    seen.forget()
    await seen.refresh(session, at=now())
    assert seen.serving == []
    await factories.change_worker(session, worker.id, paused=False)
    monkeypatch.setattr(online, "SEEN_AGAIN_SECONDS", 0)
    await seen.refresh(session, at=now())
    assert len(seen.serving) == 1


async def test_what_all_can_do_together_by_model(session, worker):
    owner, _ = await factories.user(session)
    another = factories.declared(name="another", models=["stable_diffusion", "Deliberate"])
    await factories.change_worker(
        session, (await fleet.check_in(session, owner, another, at=now())).id, speed=500.0
    )
    seen = Online()
    await seen.refresh(session, at=now())
    for _ in range(2):
        offered = seen.capacities("image")
        assert {model: its[:2] for model, its in offered.items()} == {
            "stable_diffusion": (4, 3_000_500.0),
            "Deliberate": (1, 500.0),
        }
    assert offered["Deliberate"].pace == pytest.approx(pace.usual("image"))
    assert offered["stable_diffusion"].pace == pytest.approx(
        tuple(part / 4 for part in pace.usual("image"))
    )
    assert seen.capacities("text") == {}
    await factories.change_worker(session, worker.id, paused=True)
    seen.forget()
    await seen.refresh(session, at=now())
    assert seen.capacities("image")["stable_diffusion"][:2] == (1, 500.0)


async def test_a_look_that_takes_long_is_taken_less_often(session, worker, monkeypatch):
    clock = iter([100.0, 101.0, 120.9, 121.1, 121.2]).__next__
    monkeypatch.setattr(online, "time", SimpleNamespace(monotonic=clock))
    seen = Online()
    await seen.refresh(session, at=now())  # from 100 to 101
    await factories.change_worker(session, worker.id, paused=True)
    await seen.refresh(session, at=now())  # at 120.9
    assert len(seen.serving) == 1
    await seen.refresh(session, at=now())  # at 121.1
    assert seen.serving == []
