"""A worker's last jobs, and the time that went into each."""

from datetime import timedelta
from uuid import uuid4

import pytest

import factories
from core.db import now
from core.queue import attempts, endings, measured
from core.queue.lanes import Lanes
from core.queue.matching import Needs, Offer
from core.queue.measured import ANY_MODEL
from core.queue.pace import Pace

WORKER = uuid4()
START = now()


@pytest.fixture
def do(session):
    """Lets the worker do a batch between two seconds; `faulted`: it gives the jobs back."""
    lanes = Lanes(100)

    async def batch(
        begin, *ends, things=1_000_000, model="a", kind="image", brought=None, faulted=False
    ):
        asked = {"n": len(ends), "things": things, "at": START, "kind": kind}
        await factories.request(session, lanes, needs=Needs(kind), **asked)
        found = await factories.claimed(session, lanes, Offer(kind), amount=len(ends), at=START)
        ids = await attempts.start(
            session,
            found,
            worker_id=WORKER,
            owner_id=1,
            model=model,
            at=START + timedelta(seconds=begin),
            deadline=START + timedelta(days=1),
            expires_at=START + timedelta(days=1),
        )
        for attempt_id, end in zip(ids, ends, strict=True):
            at = START + timedelta(seconds=end)
            if faulted:
                await endings.fault(session, attempt_id, at=at)
                continue
            made = {"charge": 0, "reward": 0, "things": things if brought is None else brought}
            assert await factories.finished(session, attempt_id, at=at, **made)

    return batch


async def seconds(session, *, things=1_000_000, model=None, threads=1, before=None):
    found = await measured.measure(session, WORKER, threads=threads, before=before or {})
    its = found.pace if model is None else found.of_models[model]
    return its.seconds(1, things)


async def test_a_worker_that_made_nothing_is_not_measured(session, do):
    assert await measured.measure(session, WORKER, threads=1, before={}) is None
    await do(0, 5, faulted=True)
    assert await measured.measure(session, WORKER, threads=1, before={}) is None


async def test_jobs_one_after_the_other(session, do):
    for number in range(5):
        await do(10 * number, 10 * number + 4)
    assert await seconds(session) == pytest.approx(4, rel=0.01)


async def test_a_job_taken_ahead_takes_no_longer_for_that(session, do):
    for number in range(6):
        await do(max(0, 4 * number - 4), 4 * number + 4)
    assert await seconds(session) == pytest.approx(4, rel=0.05)


async def test_threads_each_take_their_time(session, do):
    for number in range(6):
        await do(4 * (number // 2), 4 * (number // 2) + 4)
    assert await seconds(session, threads=2) == pytest.approx(4, rel=0.05)


async def test_jobs_of_a_batch_share_its_time(session, do):
    for number in range(3):
        await do(10 * number, *(10 * number + 4 + part / 10 for part in range(4)))
    assert await seconds(session) == pytest.approx(4.3 / 4, rel=0.05)


async def test_what_was_given_back_took_its_time_too(session, do):
    await do(0, 6, faulted=True)
    await do(3, 8)
    assert await seconds(session) == pytest.approx(2, rel=0.05)


async def test_each_model_has_a_pace_of_its_own(session, do):
    for number in range(20):
        model, took = ("quick", 1) if number % 2 else ("slow", 9)
        await do(10 * number, 10 * number + took, model=model)
    assert await seconds(session, model="quick") == pytest.approx(1, rel=0.3)
    assert await seconds(session, model="slow") == pytest.approx(9, rel=0.3)


async def test_texts_are_expected_by_what_is_asked_and_shown_by_what_they_are(session, do):
    for number in range(9):
        await do(20 * number, 20 * number + 11, kind="text", things=400, brought=100)
    found = await measured.measure(session, WORKER, threads=1, before={})
    assert found.pace.seconds(1, 400) == pytest.approx(11, rel=0.01)
    assert found.speed == pytest.approx(10, rel=0.01)


async def test_what_was_known_decides_what_these_jobs_do_not_tell(session, do):
    before = {ANY_MODEL: Pace(0.0, 4e-6)}
    for number in range(9):
        await do(10 * number, 10 * number + 4)
    known = await seconds(session, things=10_000_000, before=before)
    assert known == pytest.approx(40, rel=0.01)
    assert await seconds(session, things=10_000_000) < 38
