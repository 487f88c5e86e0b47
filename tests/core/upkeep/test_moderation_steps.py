"""What upkeep does about conduct: drops lead to maintenance, and nobody's workers are unpaid."""

from uuid import uuid4

import pytest
from sqlalchemy import insert, select, update

import serving
from core.db import now, table
from core.moderation import modes
from core.queue.tables import AttemptRow, Outcome
from core.upkeep import steps
from core.workers.tables import WorkerRow

workers = table(WorkerRow)


async def stored(server):
    async with server.database.reading() as session:
        return (await session.execute(select(workers))).one()


async def dropped(server, owner, worker_id, count):
    """Jobs that the worker let pass their deadline a moment ago."""
    one = {
        "kind": "image",
        "request_id": uuid4(),
        "worker_id": worker_id,
        "user_id": 0,
        "owner_id": owner.id,
        "model": "stable_diffusion",
        "things": 1,
        "started_at": now(),
        "deadline": now(),
        "ended_at": now(),
        "outcome": Outcome.ABORTED,
    }
    async with server.database.writing() as session:
        await session.execute(
            insert(table(AttemptRow)), [one | {"id": uuid4()} for _ in range(count)]
        )


@pytest.mark.parametrize(("raid", "most"), [(False, 20), (True, 10)])
async def test_one_drop_too_many_is_maintenance(server, do, owner, raid, most):
    await server.ask()
    await server.pop(owner.key)
    worker = await stored(server)
    await dropped(server, owner, worker.id, most - 1)
    async with server.database.writing() as session:
        await modes.switch(session, raid=raid)
    await do(steps.abort_stale, minutes=15)
    assert not (await stored(server)).maintenance
    await server.ask()
    await server.pop(owner.key)
    await do(steps.abort_stale, minutes=30)
    row = await stored(server)
    assert row.maintenance
    answer = await server.post("/generate/pop", serving.offer(), key=owner.key)
    assert answer.json() == {"message": row.maintenance_message, "rc": "WorkerMaintenance"}


async def test_an_anonymous_worker_is_there_for_nothing(database_url, tmp_path):
    running = serving.in_process(database_url, tmp_path / "data", anonymous_workers="on")
    async with running as server:
        await server.pop(serving.ANONYMOUS)
        async with server.database.writing() as session:
            await session.execute(update(workers).values(uptime_seconds=6000))
            await steps.pay_uptime(session, server.horde, now())
        row = await stored(server)
        assert (row.uptime_rewarded_seconds, row.kudos_uptime) == (6000, 0)
        assert (await server.get("/kudos/audit")).json()["balanced"]
