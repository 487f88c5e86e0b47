"""Jobs that workers refuse for their words are put aside, and nobody gets another job for it."""

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import func, select

import factories
from core.db import now, table
from core.queue import requests, wordy
from core.queue.lanes import MAX_APART, Lanes
from core.queue.matching import Needs, Offer
from core.queue.tables import WAITING, Job, JobState, Lane

LATER = timedelta(minutes=1)
PICKY = Offer(blacklist=frozenset({"dog"}))
OTHER = Offer(blacklist=frozenset({"dog", "wolf"}))

jobs, lane_rows = table(Job), table(Lane)


async def waiting(session):
    by_lane = select(jobs.c.lane_id, func.count()).where(jobs.c.state == WAITING)
    return Counter(dict((await session.execute(by_lane.group_by(jobs.c.lane_id))).all()))


async def sorted_out(session, lanes, *offers):
    """Sort until there is nothing left to do."""
    await lanes.update(session)
    for _ in range(100):
        if not await wordy.sort(session, lanes, offers, await waiting(session), at=now() + LATER):
            return
        await lanes.update(session)
    pytest.fail("it does not end")


async def queue(session, lanes, prompt, count, **changes):
    for _ in range(count // 20):
        await factories.request(session, lanes, n=20, prompt=prompt, **changes)


@pytest.fixture
def lanes():
    return Lanes(max_lanes=2000)


async def test_a_worker_passes_over_what_it_refuses(session, lanes):
    await queue(session, lanes, "A Dog", 1200, priority=9)
    cat = await factories.request(session, lanes, prompt="a cat")
    await sorted_out(session, lanes, PICKY)
    left = lanes.matching(PICKY).ids
    depth = await waiting(session)
    assert sum(depth[lane] for lane in left) <= wordy.FEW
    assert (await factories.claimed(session, lanes, PICKY)).request.id == cat.request_id
    assert await factories.claimed(session, lanes, PICKY) is None
    taken = [await factories.claimed(session, lanes, Offer(), amount=1) for _ in range(3)]
    assert {found.request.prompt for found in taken} == {"A Dog"}


async def test_what_comes_later_waits_with_the_rest_until_it_is_sorted(session, lanes):
    await queue(session, lanes, "a dog", 600)
    await sorted_out(session, lanes, PICKY)
    await queue(session, lanes, "a dog", 400, priority=9)
    cat = await factories.request(session, lanes, prompt="a cat")
    assert (await factories.claimed(session, lanes, PICKY)).request.id == cat.request_id
    await sorted_out(session, lanes, PICKY)
    assert len(lanes.least_needs()) == 2
    assert max((await waiting(session)).values()) >= 1000 - wordy.FEW


async def test_a_few_jobs_stay_together(session, lanes):
    await queue(session, lanes, "a dog", 240)
    await sorted_out(session, lanes, PICKY)
    assert len(await waiting(session)) == 1


async def test_two_workers_words_lead_to_no_going_to_and_fro(session, lanes):
    await queue(session, lanes, "a dog and a wolf", 600)
    await queue(session, lanes, "a wolf", 600)
    await sorted_out(session, lanes, PICKY)
    await sorted_out(session, lanes, OTHER)
    before = await waiting(session)
    await sorted_out(session, lanes, PICKY, OTHER)
    assert await waiting(session) == before
    told = set()
    for needs in lanes.least_needs().values():
        told |= needs.contains
    assert told == {"dog", "wolf"}


async def test_jobs_are_moved_only_to_lanes_that_every_claim_knows(session, lanes):
    await queue(session, lanes, "a dog", 600)
    await lanes.update(session)
    for _ in range(2):
        await wordy.sort(session, lanes, [PICKY], await waiting(session), at=now())
        await lanes.update(session)
    assert len(lanes.least_needs()) == 2
    assert len(await waiting(session)) == 1


async def test_words_get_a_part_of_the_lanes_only(session):
    lanes = Lanes(max_lanes=8)
    words = [f"w{number}x" for number in range(9)]
    for word in words:
        await queue(session, lanes, f"a {word}", 60)
    await sorted_out(session, lanes, Offer(blacklist=frozenset(words)))
    assert len(await waiting(session)) == 1 + 8 * MAX_APART
    fits = await factories.request(session, lanes, prompt="a cat")
    found = await factories.claimed(session, lanes, Offer(blacklist=frozenset(words)))
    assert found.request.id == fits.request_id


async def test_what_was_cancelled_stays_cancelled(session, lanes):
    gone = await factories.request(session, lanes, n=20, prompt="a dog")
    await queue(session, lanes, "a dog", 600)
    await requests.cancel(session, gone.request_id, at=now())
    await sorted_out(session, lanes, PICKY)
    assert set(await factories.states(session, gone.request_id)) == {JobState.CANCELLED}


async def test_size_classes_and_other_needs_are_kept(session, lanes):
    needs = Needs(models=frozenset({"a model"}), pixels=512 * 512)
    await queue(session, lanes, "a dog", 600, needs=needs)
    await sorted_out(session, lanes, PICKY, Offer(models=needs.models, blacklist=PICKY.blacklist))
    small = Offer(models=needs.models, pixels=256 * 256)
    assert await factories.claimed(session, lanes, Offer(models=frozenset({"another"}))) is None
    assert await factories.claimed(session, lanes, small) is None
    assert await factories.claimed(session, lanes, Offer(models=needs.models))
