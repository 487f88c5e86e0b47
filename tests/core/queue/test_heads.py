"""The first waiting job of each lane, for pops that wait."""

import pytest
from sqlalchemy import update

import factories
from core.db import table
from core.queue.heads import Heads
from core.queue.lanes import Lanes
from core.queue.matching import Needs, Offer
from core.queue.tables import Job, JobState

A, B = frozenset("a"), frozenset("b")
jobs = table(Job)


@pytest.fixture
def lanes():
    return Lanes(max_lanes=100)


async def heads(session, lanes, offer):
    found = Heads()
    await found.read(session, lanes)
    return found.fitting(lanes, offer)


async def test_a_head_is_the_lanes_best_waiting_job(session, lanes):
    later = await factories.request(session, lanes, needs=Needs(models=A))
    sooner = await factories.request(session, lanes, needs=Needs(models=A), priority=10**6)
    await factories.request(session, lanes, needs=Needs(models=B))
    first = await session.scalar(jobs.select().where(jobs.c.request_id == sooner.request_id))
    assert await heads(session, Lanes(100), Offer(models=A)) == {later.lane_id: first}
    await session.execute(update(jobs).where(jobs.c.id == first).values(state=JobState.PROCESSING))
    second = await session.scalar(jobs.select().where(jobs.c.request_id == later.request_id))
    assert await heads(session, Lanes(100), Offer(models=A)) == {later.lane_id: second}


async def test_a_lane_without_a_waiting_job_has_no_head(session, lanes):
    await factories.request(session, lanes, needs=Needs(models=A))
    await session.execute(update(jobs).values(state=JobState.PROCESSING))
    assert await heads(session, lanes, Offer(models=A)) == {}


async def test_ones_own_jobs_need_not_be_covered(session, lanes):
    """Which the claim decides; here nothing is left out that it might give."""
    queued = await factories.request(session, lanes, needs=Needs(models=A))
    offer = Offer(models=A, only_covered=True, users=frozenset({0}))
    assert list(await heads(session, lanes, offer)) == [queued.lane_id]


async def test_a_lane_that_is_new_to_this_process_is_taken_in(session, lanes):
    elsewhere = Lanes(100)
    await factories.request(session, elsewhere, needs=Needs(models=B))
    await heads(session, lanes, Offer())
    queued = await factories.request(session, elsewhere, needs=Needs(models=A))
    assert list(await heads(session, lanes, Offer(models=A))) == [queued.lane_id]
