from datetime import timedelta
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, select

import factories
from core.catalog import models as catalog
from core.db import now, table
from core.kinds import registry
from core.queue.tables import AttemptRow, Outcome
from core.users import suspicion
from core.users.tables import Reason, Role
from core.workers import conduct, fleet
from core.workers.tables import WorkerRow

AT = now()


@pytest.fixture
async def owner(session):
    return (await factories.user(session))[0]


async def worker_of(session, owner, **changes):
    return (await fleet.check_in(session, owner, factories.declared(**changes), at=AT)).id


async def stored(session, worker_id):
    workers = table(WorkerRow)
    return (await session.execute(select(workers).where(workers.c.id == worker_id))).one()


async def dropped(session, worker_id, owner, count, *, kind="image", ago=timedelta(minutes=5)):
    """Attempts that the worker let pass their deadline."""
    rows = [
        {
            "id": uuid4(),
            "kind": kind,
            "request_id": uuid4(),
            "worker_id": worker_id,
            "user_id": 0,
            "owner_id": owner.id,
            "model": "stable_diffusion",
            "things": 1,
            "started_at": AT - ago,
            "deadline": AT - ago,
            "ended_at": AT - ago,
            "outcome": outcome,
        }
        for outcome in [Outcome.ABORTED] * count + [Outcome.DONE, Outcome.FAULTED] * 20
    ]
    await session.execute(insert(table(AttemptRow)), rows)


@pytest.mark.parametrize(
    ("kind", "raid", "most"),
    [("image", False, 20), ("text", False, 20), ("image", True, 10), ("alchemy", True, 100)],
)
async def test_too_many_drops_within_an_hour_mean_maintenance(session, owner, kind, raid, most):
    worker_id = await worker_of(session, owner)
    await dropped(session, worker_id, owner, 100, kind=kind, ago=timedelta(hours=1))
    await dropped(session, worker_id, owner, most, kind=kind)
    await conduct.judge_drops(session, [worker_id], raid=raid, at=AT)
    assert not (await stored(session, worker_id)).maintenance
    await dropped(session, worker_id, owner, 1, kind=kind)
    await conduct.judge_drops(session, [worker_id, uuid4()], raid=raid, at=AT)
    row = await stored(session, worker_id)
    assert row.maintenance
    assert "maintenance mode" in row.maintenance_message
    assert str(most + 1) in row.maintenance_message
    assert await suspicion.count(session, owner.id, at=AT) == 1
    await conduct.judge_drops(session, [worker_id], raid=raid, at=AT)  # it is known already
    assert await suspicion.count(session, owner.id, at=AT) == 1


async def test_nobody_is_judged_for_others(session, owner):
    worker_id, other = await worker_of(session, owner), await worker_of(session, owner, name="b")
    await dropped(session, worker_id, owner, 21)
    await conduct.judge_drops(session, [other], raid=False, at=AT)
    assert not (await stored(session, worker_id)).maintenance


@pytest.mark.parametrize(
    ("kind", "model", "limit"),
    [
        ("image", "stable_diffusion", 20_000_000),
        ("text", "a model", 150),
        ("text", "small", 150),
        ("text", "middle", 100),
        ("text", "large", 30),
        ("text", "Mixtral-8x7B", 300),
    ],
)
async def test_nobody_is_that_fast(session, owner, texts, kind, model, limit):
    worker_id = await worker_of(session, owner)
    attempt = SimpleNamespace(
        kind=kind, model=model, worker_id=worker_id, started_at=AT - timedelta(seconds=10)
    )
    for things, count in ((limit * 10, 0), (limit * 10 + 1, 1)):
        await conduct.judge_speed(session, owner, attempt, things=things, at=AT)
        assert await suspicion.count(session, owner.id, at=AT) == count


@pytest.fixture
def texts(monkeypatch):
    """Text models of some sizes, thousand millions of parameters."""
    sizes = {"small": 7.0, "middle": 14.0, "large": 70.0, "Mixtral-8x7B": 46.7}
    known = {name: SimpleNamespace(billions=size) for name, size in sizes.items()}
    monkeypatch.setattr(catalog, "text_model", known.get)


def test_forms_may_be_as_fast_as_they_like():
    assert registry.of("alchemy").fastest("caption") == float("inf")


async def test_too_much_suspicion_pauses_the_worker_and_no_other(session, owner):
    worker_id, other = await worker_of(session, owner), await worker_of(session, owner, name="b")
    for _ in range(suspicion.SUSPICIOUS):
        assert not (await stored(session, worker_id)).paused
        await conduct.suspect(session, owner, worker_id, Reason.UNREASONABLY_FAST, at=AT)
    assert (await stored(session, worker_id)).paused
    assert not (await stored(session, other)).paused


async def test_trusted_owners_are_not_suspected(session):
    owner, _ = await factories.user(session, roles=Role.TRUSTED)
    worker_id = await worker_of(session, owner, name="x" * 300)
    for _ in range(9):
        await conduct.suspect(session, owner, worker_id, Reason.UNREASONABLY_FAST, at=AT)
    assert not (await stored(session, worker_id)).paused
    assert await suspicion.count(session, owner.id, at=AT) == 0


@pytest.mark.parametrize(
    ("declared", "count"),
    [
        ({"name": "x" * 100}, 0),
        ({"name": "x" * 101}, 1),
        ({"name": "x" * 201}, 2),
        ({"max_pixels": 3072 * 3072}, 0),
        ({"max_pixels": 3072 * 3072 + 1}, 1),
    ],
)
async def test_what_is_strange_about_a_new_worker(session, owner, declared, count):
    assert isinstance(await worker_of(session, owner, **declared), UUID)
    await worker_of(session, owner, **declared)  # it is not new any more
    assert await suspicion.count(session, owner.id, at=AT) == count


async def test_addresses_are_forgotten_a_week_after_the_last_check_in(session, owner):
    context = fleet.CheckinContext(address="192.0.2.7")
    seen = await fleet.check_in(session, owner, factories.declared(), at=AT, context=context)
    await fleet.forget_addresses(session, at=AT + timedelta(days=6))
    assert (await stored(session, seen.id)).address == "192.0.2.7"
    await fleet.forget_addresses(session, at=AT + timedelta(days=7))
    assert (await stored(session, seen.id)).address is None
