"""What a claim costs where thousands of jobs wait in many lanes: in rows visited, not in time."""

import random
from uuid import uuid4

import pytest
from sqlalchemy import insert, text

import factories
from core.db import Database, now, table
from core.queue import seeking
from core.queue.lanes import Lanes
from core.queue.matching import Needs, Offer
from core.queue.tables import Job, JobState, RequestRow

LANES, JOBS_OF_LANE = 120, 40
JOBS = LANES * JOBS_OF_LANE
BIRDS = 3 * seeking.FRONT
"""So many jobs at the front of the queue have "a bird" in their prompts, all others "a dog"."""
_VISITED = text(
    "SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))"
    " FROM pg_stat_xact_user_tables WHERE relname IN ('jobs', 'requests')"
)


@pytest.fixture
async def deep(postgres_url):
    """A transaction on a database with a deep queue, and whose job is the last."""
    database = Database(postgres_url)
    async with database.writing() as session:
        other = await fill(session)
    async with database.writing() as session:
        await session.execute(text("ANALYZE"))
    async with factories.undone(database) as session:
        yield session, other
    await database.close()


async def fill(session):
    """Jobs of one user, behind them one of another."""
    user, _ = await factories.user(session)
    other, _ = await factories.user(session)
    lanes, at = Lanes(max_lanes=2000), now()
    ids = [await lanes.lane_for(session, Needs(pixels=pixels)) for pixels in range(1, LANES + 1)]
    pixels = [1 + number % LANES for number in range(JOBS)]
    random.Random(3).shuffle(pixels)
    pixels.append(1)
    requests, jobs = [], []
    for rank, its in enumerate(pixels):
        user_id = other.id if rank == JOBS else user.id
        words = "a bird" if rank < BIRDS else "a dog"
        request = {"id": uuid4(), "kind": "image", "user_id": user_id, "n": 1}
        request |= {"created_at": at, "expires_at": at + factories.LIFE}
        request |= {"prompt": words, "words": words, "params": {}, "needs": {"pixels": its}}
        requests.append(request | {"terms": {}})
        job = {"request_id": request["id"], "number": 0, "lane_id": ids[its - 1], "rank": rank}
        job |= {"user_id": user_id, "things": 1, "seed": 1, "state": JobState.WAITING}
        jobs.append(job | {"faults": 0})
    await session.execute(insert(table(RequestRow)), requests)
    await session.execute(insert(table(Job)), jobs)
    return other.id


async def visited(session, offer):
    """How many jobs and requests a claim with this offer looks at, and what it gets."""
    lanes = Lanes(max_lanes=2000)
    before = await session.scalar(_VISITED)
    found = await factories.claimed(session, lanes, offer)
    return await session.scalar(_VISITED) - before, found


async def test_a_claim_looks_neither_at_each_lane_nor_at_each_job(deep):
    session, other = deep

    async def gets(words, most, **offer):
        for _ in range(2):  # the second one's plans do not know what is offered
            rows, found = await visited(session, Offer(pixels=LANES, **offer))
            assert found.request.prompt == words
            assert rows < most

    await gets("a bird", LANES)
    await gets("a bird", LANES, blacklist=frozenset({"a cat"}))
    await gets("a dog", JOBS / 2, blacklist=frozenset({"a bird"}))  # each lane to its first dog
    await gets("a bird", LANES, users=frozenset({other + 1}))

    few = seeking.FEW_LANES
    rows, found = await visited(session, Offer(pixels=few, blacklist=frozenset({"a bird"})))
    assert found.request.prompt == "a dog"
    assert rows < few * JOBS_OF_LANE

    rows, found = await visited(session, Offer(pixels=LANES, users=frozenset({other})))
    assert found.request.user_id == other
    assert rows < LANES
