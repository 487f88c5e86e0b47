"""A paused worker is given decoys and must not notice; nobody else must, either."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

import factories
import pictures
from core.db import now
from core.generation import waiters
from core.ledger import audit
from core.ledger.tables import Entry
from core.queue import measured
from core.queue.tables import AttemptRow, Generation, Outcome
from core.stats.tables import ModelTotal, UserTotal
from core.upkeep import steps
from core.workers.tables import WorkerRow

PAUSED, HONEST = "paused worker", "honest worker"


@pytest.fixture
async def owner(server):
    """Whose worker a moderator has paused."""
    owner = await server.user("Owner")
    await server.pop(owner.key, name=PAUSED)
    async with server.database.writing() as session:
        worker_id = await session.scalar(select(WorkerRow.id).where(WorkerRow.name == PAUSED))
        await factories.change_worker(session, worker_id, paused=True)
    return owner


@pytest.fixture
async def honest(server):
    return await server.user("Honest")


async def books(server):
    """All that a delivery would change."""
    async with server.database.reading() as session:
        found = await audit.audit(session)
        assert found.balanced
        return found.entries, found.supply, found.held, await count(session, Generation)


async def count(session, model):
    return await session.scalar(select(func.count()).select_from(model))


async def upload(server, popped):
    answer = await server.http.put(popped["r2_upload"], content=pictures.WEBP)
    assert answer.status_code == 200


def files(server):
    return list(server.settings.pictures.rglob("*.webp"))


def without_chance(popped):
    """What does not differ from one job of a request to the next."""
    secret = {"id", "ids", "r2_upload", "r2_uploads"}
    told = {name: value for name, value in popped.items() if name not in secret}
    return told | {"payload": told["payload"] | {"seed": None}}


async def test_a_decoy_looks_like_the_job(server, owner, honest):
    await server.ask(prompt="a blue hare")
    decoy = await server.pop(owner.key, name=PAUSED)
    job = await server.pop(honest.key, name=HONEST)
    assert without_chance(decoy) == without_chance(job)
    assert decoy["payload"]["prompt"] == "a blue hare"
    assert decoy["ids"] == [decoy["id"]] != job["ids"]
    assert decoy["id"] in decoy["r2_upload"]
    assert decoy["r2_uploads"] == [decoy["r2_upload"]]
    assert type(decoy["payload"]["seed"]) is type(job["payload"]["seed"])


async def test_its_submission_is_thanked_for_as_the_jobs(server, owner, honest):
    await server.ask()
    decoy = await server.pop(owner.key, name=PAUSED)
    job = await server.pop(honest.key, name=HONEST)
    answers = []
    for key, popped in ((owner.key, decoy), (honest.key, job)):
        await upload(server, popped)
        answers.append(await server.submit(key, popped["id"]))
    assert answers[0].status_code == answers[1].status_code == 200
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["reward"] > 0


async def test_nothing_comes_of_it(server, owner):
    request_id = await server.ask()
    before = await books(server)
    decoy = await server.pop(owner.key, name=PAUSED)
    await upload(server, decoy)
    assert (await server.submit(owner.key, decoy["id"])).status_code == 200
    async with server.database.writing() as session:
        await steps.count(session, server.horde, now())
        assert await count(session, UserTotal) == await count(session, ModelTotal) == 0
    assert await books(server) == before
    assert files(server) == []
    status = (await server.get(f"/generate/status/{request_id}")).json()
    assert (status["waiting"], status["processing"], status["finished"]) == (1, 0, 0)
    assert (status["restarted"], status["generations"]) == (0, [])


async def test_it_makes_nobody_faster_or_slower(server, owner):
    await server.ask()
    decoy = await server.pop(owner.key, name=PAUSED)
    await upload(server, decoy)
    assert (await server.submit(owner.key, decoy["id"])).status_code == 200
    async with server.database.reading() as session:
        (worker_id,) = await session.scalars(select(AttemptRow.worker_id))
        assert await measured.measure(session, worker_id, threads=1, before={}) is None


async def test_the_job_is_made_by_another(server, owner, honest):
    request_id = await server.ask()
    decoy = await server.pop(owner.key, name=PAUSED)
    await server.deliver(honest.key, await server.pop(honest.key, name=HONEST))
    status = (await server.get(f"/generate/status/{request_id}")).json()
    assert [one["worker_name"] for one in status["generations"]] == [HONEST]
    await upload(server, decoy)
    assert (await server.submit(owner.key, decoy["id"])).status_code == 200
    assert (await server.get(f"/generate/status/{request_id}")).json()["finished"] == 1
    assert len(files(server)) == 1


async def test_a_second_submission_is_refused_as_the_jobs(server, owner):
    await server.ask()
    decoy = await server.pop(owner.key, name=PAUSED)
    await upload(server, decoy)
    await server.submit(owner.key, decoy["id"])
    again = await server.submit(owner.key, decoy["id"])
    assert (again.status_code, again.json()["rc"]) == (400, "DuplicateGen")
    late = await server.http.put(decoy["r2_upload"], content=pictures.WEBP)
    assert late.status_code == 409


async def test_a_decoy_given_back_earns_nothing(server, owner):
    await server.ask()
    decoy = await server.pop(owner.key, name=PAUSED)
    await upload(server, decoy)
    answer = await server.submit(owner.key, decoy["id"], state="faulted", generation="faulted")
    assert answer.json() == {"reward": 0.0}
    assert files(server) == []


async def test_a_late_decoy_is_given_up_as_a_job_is(server, owner):
    request_id = await server.ask()
    decoy = await server.pop(owner.key, name=PAUSED)
    await server.pop(owner.key, name=PAUSED)
    async with server.database.writing() as session:
        await steps.abort_stale(session, server.horde, now() + timedelta(minutes=15))
    late = await server.submit(owner.key, decoy["id"])
    assert (late.status_code, late.json()["rc"]) == (400, "AbortedGen")
    status = (await server.get(f"/generate/check/{request_id}")).json()
    assert (status["waiting"], status["restarted"]) == (1, 0)


async def test_without_work_there_is_no_decoy(server, owner):
    popped = await server.pop(owner.key, name=PAUSED)
    assert popped["id"] is None
    assert popped["skipped"]


async def test_its_owners_jobs_are_real(server, owner):
    await server.ask()
    own = await server.ask(key=owner.key)
    popped = await server.pop(owner.key, name=PAUSED)
    await server.deliver(owner.key, popped)
    status = (await server.get(f"/generate/status/{own}")).json()
    assert [one["id"] for one in status["generations"]] == [popped["id"]]
    async with server.database.reading() as session:
        assert await factories.outcomes(session, UUID(own)) == [Outcome.DONE]
        assert await session.scalar(select(func.sum(Entry.amount))) == 0


async def test_one_that_waits_keeps_no_job_from_others(server, owner, honest, monkeypatch):
    """The one who waits longest is woken first, and takes a decoy: the job is still there."""
    monkeypatch.setattr(waiters, "LOOK_AGAIN_SECONDS", 3600)
    known = await server.ask()  # a new lane would wake everybody
    await server.pop(honest.key, name=HONEST)
    await server.call("DELETE", f"/generate/status/{known}")
    first = asyncio.create_task(server.pop(owner.key, name=PAUSED, wait=30))
    await in_line(server, 1)
    second = asyncio.create_task(server.pop(honest.key, name=HONEST, wait=30))
    await in_line(server, 2)
    request_id = await server.ask()
    async with asyncio.timeout(25):
        decoy, job = await first, await second
    assert decoy["id"] not in (None, job["id"])
    assert job["id"] is not None
    assert (await server.get(f"/generate/check/{request_id}")).json()["processing"] == 1


async def in_line(server, length):
    async with asyncio.timeout(20):
        while len(server.horde.waiters._line) < length:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
