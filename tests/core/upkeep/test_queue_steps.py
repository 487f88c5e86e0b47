"""Stale attempts, expiry, lanes, old attempts: what the queue would otherwise keep for ever."""

import os
import time
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

import factories
import pictures
from core.db import now
from core.generation.horde import JOBS, channel_of
from core.ledger import audit
from core.ledger.tables import Account, Hold
from core.queue.tables import AttemptRow, Generation, Job, JobState, Lane, Outcome, RequestRow
from core.upkeep import steps
from core.users.tables import UserRow


async def rows(server, model):
    async with server.database.reading() as session:
        return await session.scalar(select(func.count()).select_from(model))


async def of_jobs(server, request_id):
    async with server.database.reading() as session:
        states = await factories.states(session, UUID(request_id))
        return states, await factories.outcomes(session, UUID(request_id))


async def held(server, person):
    """What is held of a user's kudos, by the account and by its holds; the ledger is sound."""
    async with server.database.reading() as session:
        account = await session.scalar(select(UserRow.account_id).where(UserRow.id == person.id))
        assert (await audit.audit(session)).balanced
        by_holds = select(func.coalesce(func.sum(Hold.amount), 0)).where(Hold.account_id == account)
        by_account = await session.scalar(select(Account.held).where(Account.id == account))
        assert await session.scalar(by_holds) == by_account
        return by_account


def files(server):
    return sorted(path.stem for path in server.settings.pictures.rglob("*.webp"))


class TestAbortStale:
    async def test_an_attempt_in_time_goes_on(self, server, do, owner):
        request_id = await server.ask()
        await server.pop(owner.key)
        await do(steps.abort_stale)
        assert await of_jobs(server, request_id) == ([JobState.PROCESSING], [Outcome.ALIVE])

    async def test_a_late_one_ends_and_its_job_waits_again(self, server, do, owner):
        request_id = await server.ask()
        popped = await server.pop(owner.key)
        await do(steps.abort_stale, minutes=15)
        await do(steps.abort_stale, minutes=15)  # once more is as once
        assert await of_jobs(server, request_id) == ([JobState.WAITING], [Outcome.ABORTED])
        check = (await server.get(f"/generate/check/{request_id}")).json()
        assert (check["waiting"], check["restarted"]) == (1, 1)
        late = await server.submit(owner.key, popped["id"], generation="", state="faulted")
        assert (late.status_code, late.json()["rc"]) == (400, "AbortedGen")
        again = await server.pop(owner.key, name="another worker")
        assert again["id"] not in (None, popped["id"])

    async def test_who_watches_is_told(self, server, do, owner):
        request_id = await server.ask()
        await server.pop(owner.key)
        async with server.horde.bus.subscribe(channel_of(UUID(request_id))) as messages:
            await do(steps.abort_stale, minutes=15)
            assert await anext(messages) == {"what": "waiting"}

    async def test_workers_that_wait_are_told(self, server, do, owner):
        await server.ask()
        await server.pop(owner.key)
        async with server.horde.bus.subscribe(JOBS) as messages:
            await do(steps.abort_stale, minutes=15)
            assert (await anext(messages))["count"] == 1

    async def test_three_workers_time_ends_a_job_and_the_last_gives_the_kudos_back(
        self, server, do, owner, requester
    ):
        request_id = await server.ask(key=requester.key, params={"width": 64, "height": 64, "n": 2})
        before = await held(server, requester)
        for states in ([JobState.FAULTED, JobState.WAITING], [JobState.FAULTED] * 2):
            for name in ("one", "two", "three"):
                assert await held(server, requester) == before > 0
                await server.pop(owner.key, name=name)
                await do(steps.abort_stale, minutes=15)
            assert (await of_jobs(server, request_id))[0] == states
        assert await held(server, requester) == 0

    async def test_more_than_a_batch_takes_several_runs(self, server, do, owner, monkeypatch):
        monkeypatch.setattr(steps, "BATCH", 2)
        request_id = await server.ask(params={"width": 64, "height": 64, "n": 3})
        for _ in range(3):
            await server.pop(owner.key)
        assert (await do(steps.abort_stale, minutes=15)).more
        assert not (await do(steps.abort_stale, minutes=15)).more
        assert (await of_jobs(server, request_id))[0] == [JobState.WAITING] * 3


class TestExpire:
    @pytest.fixture
    async def half_done(self, server, owner, requester):
        """A request of three: one is delivered, one being made, one waits."""
        request_id = await server.ask(key=requester.key, params={"width": 64, "height": 64, "n": 3})
        popped = await server.pop(owner.key)
        await server.deliver(owner.key, popped)
        making = await server.pop(owner.key)
        upload = await server.http.put(making["r2_upload"], content=b"RIFF")
        assert upload.status_code == 400  # no picture: nothing is kept
        return request_id

    async def test_source_pictures_go_too(self, server, do):
        await server.ask(source_image=pictures.SOURCE, source_mask=pictures.MASK)
        assert len(files(server)) == 2
        await do(steps.expire, hours=1)
        assert files(server) == []

    async def test_nothing_goes_before_its_time(self, server, do, half_done, requester):
        await do(steps.expire, minutes=19)
        states, _ = await of_jobs(server, half_done)
        assert states == [JobState.DONE, JobState.PROCESSING, JobState.WAITING]
        assert len(files(server)) == 1
        assert await held(server, requester) > 0

    async def test_then_all_of_it_goes(self, server, do, half_done, requester):
        for _ in range(2):  # once more is as once
            await do(steps.expire, minutes=22)
            for model in (RequestRow, Job, Generation):
                assert await rows(server, model) == 0
            assert files(server) == []
            assert await held(server, requester) == 0
        assert (await server.get(f"/generate/status/{half_done}")).status_code == 404

    async def test_attempts_stay_for_the_sums_without_what_was_asked(self, server, do, half_done):
        await do(steps.expire, minutes=22)
        _, outcomes = await of_jobs(server, half_done)
        assert outcomes == [Outcome.DONE, Outcome.ABORTED]
        assert "prompt" not in AttemptRow.__table__.c

    async def test_what_was_delivered_stays_paid(self, server, do, half_done, requester, owner):
        before = [
            (await server.get(f"/users/{who.id}")).json()["kudos"] for who in (requester, owner)
        ]
        await do(steps.expire, minutes=22)
        after = [
            (await server.get(f"/users/{who.id}")).json()["kudos"] for who in (requester, owner)
        ]
        assert after == before
        assert after[0] < 100 + 25

    async def test_the_worker_at_it_is_told_that_it_is_gone(self, server, do, owner):
        await server.ask()
        popped = await server.pop(owner.key)
        await do(steps.expire, minutes=22)
        late = await server.submit(owner.key, popped["id"])
        assert (late.status_code, late.json()["rc"]) == (404, "InvalidJobID")

    async def test_a_batch_at_a_time(self, server, do, monkeypatch):
        monkeypatch.setattr(steps, "BATCH", 2)
        for _ in range(3):
            await server.ask()
        assert (await do(steps.expire, minutes=22)).more
        assert await rows(server, RequestRow) == 1
        assert not (await do(steps.expire, minutes=22)).more
        assert await rows(server, RequestRow) == 0


class TestLanes:
    async def test_empty_ones_go_when_they_are_not_fresh(self, server, do, owner):
        await server.pop(owner.key)  # who could serve them
        await server.ask()
        gone = await server.ask(nsfw=True)
        await server.call("DELETE", f"/generate/status/{gone}")
        assert await rows(server, Lane) == 2
        await do(steps.remove_lanes)
        assert await rows(server, Lane) == 2  # fresh
        async with server.database.writing() as session:
            await session.execute(update(Lane).values(created_at=now() - timedelta(minutes=6)))
        for _ in range(2):
            await do(steps.remove_lanes)
            assert await rows(server, Lane) == 1

    async def test_a_job_finds_its_lane_again(self, server, do, owner):
        gone = await server.ask()
        await server.call("DELETE", f"/generate/status/{gone}")
        async with server.database.writing() as session:
            await session.execute(update(Lane).values(created_at=now() - timedelta(minutes=6)))
        await do(steps.remove_lanes)
        await server.ask()
        assert (await server.pop(owner.key))["id"]


class TestPictures:
    async def test_what_outlived_its_request_is_swept(self, server, do, owner):
        await server.ask()
        await server.ask()
        for _ in range(2):
            await server.deliver(owner.key, await server.pop(owner.key))
        old, young = server.settings.pictures.rglob("*.webp")
        then = time.time() - server.settings.picture_minutes * 60 - 60
        os.utime(old, (then, then))
        for _ in range(2):
            await do(steps.sweep_pictures)
            assert files(server) == [young.stem]


class TestForgetAttempts:
    @pytest.mark.parametrize(
        ("days", "counted", "stays"),
        [(29, True, True), (31, True, False), (31, False, True)],
        ids=["not yet", "in the sums", "in no sum yet"],
    )
    async def test_after_30_days(self, server, do, owner, days, counted, stays):
        await server.ask()
        await server.deliver(owner.key, await server.pop(owner.key))
        async with server.database.writing() as session:
            await session.execute(update(AttemptRow).values(counted=counted))
        for _ in range(2):
            await do(steps.forget_attempts, days=days)
            assert await rows(server, AttemptRow) == stays

    async def test_one_that_is_being_worked_at_stays(self, server, do, owner):
        await server.ask()
        await server.pop(owner.key)
        await do(steps.forget_attempts, days=31)
        assert await rows(server, AttemptRow) == 1
