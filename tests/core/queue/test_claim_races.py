"""Many workers at once: nobody leaves empty-handed while jobs wait, and no job is given twice."""

import asyncio
import itertools
from collections import Counter
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from sqlalchemy import func, select

import factories
from core.db import Database, now, table
from core.generation import cancel
from core.queue import endings, expiry, requests
from core.queue.lanes import Lanes
from core.queue.matching import Needs, Offer
from core.queue.tables import AttemptRow, Generation, Job, JobState, Outcome, RequestRow

OPEN = (JobState.WAITING, JobState.PROCESSING)
WORKERS = 16
SHAPES = [(10, 8), (80, 1), (40, 2), (20, 4), (1, 80)]
BIG_SHAPES = [(50, 32), (400, 1), (400, 2), (100, 4), (1, 800)]
OFFERS = {"certain": Offer(), "looking": Offer(blacklist=frozenset({"dog"}))}

shapes = pytest.mark.parametrize(
    ("lanes", "each"), [*SHAPES, *(pytest.param(*s, marks=pytest.mark.long) for s in BIG_SHAPES)]
)


async def at_once(*tasks):
    async with asyncio.timeout(300):
        return await asyncio.gather(*tasks)


async def fill(database, known, lanes, each, *, requests_a_lane=1, **properties):
    """`lanes` lanes of `each` jobs. How many jobs that is."""
    async with database.writing() as session:
        for lane, part in itertools.product(range(lanes), range(requests_a_lane)):
            needs = Needs(workers=frozenset({f"not {lane}"}), avoid=True)
            n = len(range(part, each, requests_a_lane))
            await factories.request(session, known, n=n, needs=needs, **properties)
    return lanes * each


async def pop(database, lanes, offer, *, amount=1):
    """Claim and start, as a worker's pop does; (job, attempt) ids."""
    async with database.writing() as session:
        found = await factories.claimed(session, lanes, offer, amount=amount)
        if found is None:
            return []
        ids = await factories.started(session, found)
    return list(zip((job.id for job in found.jobs), ids, strict=True))


@shapes
@pytest.mark.parametrize("offer", OFFERS)
async def test_nothing_is_given_twice_and_nobody_left_empty_handed(database, lanes, each, offer):
    known = Lanes(2000)
    total = await fill(database, known, lanes, each)
    left = itertools.count(total, -1)
    empty = 0
    got = Counter()

    async def work():
        nonlocal empty
        while next(left) > 0:
            popped = await pop(database, known, OFFERS[offer])
            empty += not popped
            got.update(job for job, _ in popped)

    await at_once(*(work() for _ in range(WORKERS)))
    assert empty == 0
    assert len(got) == total
    assert set(got.values()) == {1}


@pytest.mark.parametrize("amount", [3, 20])
async def test_batches_hide_no_other_jobs(postgres_url, amount):
    """Batches in flight lock many jobs of one lane; those behind them are for the others."""
    database, known = Database(postgres_url), Lanes(2000)
    await fill(database, known, 1, WORKERS * amount, requests_a_lane=WORKERS)
    got = Counter()
    async with AsyncExitStack() as in_flight:
        for _ in range(WORKERS):
            session = await in_flight.enter_async_context(database.writing())
            found = await factories.claimed(session, known, Offer(), amount=amount)
            got.update(job.id for job in found.jobs)
    assert len(got) == WORKERS * amount
    assert set(got.values()) == {1}
    await database.close()


@pytest.mark.parametrize("amount", [3, 20])
async def test_batches_at_once_give_no_job_twice(database, amount):
    """Two may begin in the middle of each other's: then both are short, and what is left waits."""
    known = Lanes(2000)
    total = await fill(database, known, 1, 8 * WORKERS * amount, requests_a_lane=8)
    got = Counter()

    async def work():
        for _ in range(8):
            popped = await pop(database, known, Offer(), amount=amount)
            got.update(job for job, _ in popped)

    await at_once(*(work() for _ in range(WORKERS)))
    while popped := await pop(database, known, Offer(), amount=amount):
        got.update(job for job, _ in popped)
    assert len(got) == total
    assert set(got.values()) == {1}


async def test_expired_requests_stop_nobody(database):
    """Their jobs are ended by whoever comes across them first: that must not deadlock."""
    known = Lanes(2000)
    past = now() - factories.LIFE
    await fill(database, known, 5, 40, requests_a_lane=2, at=past)
    total = await fill(database, known, 5, 8)

    async def work():
        return await pop(database, known, Offer())

    popped = await at_once(*(work() for _ in range(total)))
    assert len({job for found in popped for job, _ in found}) == total


class Chaos:
    """Everything that may happen to requests, at once, and the sums that hold all the while."""

    def __init__(self, database):
        self.database = database
        self.lanes = Lanes(2000)
        self.requests = []
        self.ended = Counter()

    async def ask(self, n, life):
        async with self.database.writing() as session:
            asked = await factories.request(session, self.lanes, n=n, life=life)
        self.requests.append(asked.request_id)

    async def work(self, number):
        for turn in range(12):
            async with self.database.writing() as session:
                found = await factories.claimed(session, self.lanes, amount=1 + number % 3)
                if found is None:
                    continue
                late = timedelta(seconds=-1 if turn % 4 == 3 else 60)
                ids = await factories.started(session, found, deadline=late)
            for attempt_id in ids:
                await self.end(attempt_id, faulted=(turn + number) % 3 == 0)

    async def end(self, attempt_id, *, faulted):
        async with self.database.writing() as session:
            if faulted:
                ended = await endings.fault(session, attempt_id, at=now())
            else:
                ended = await factories.finished(session, attempt_id)
            self.ended["faulted" if faulted else "done"] += ended

    async def cancel(self, request_id):
        async with self.database.writing() as session:
            await requests.cancel(session, request_id, at=now())

    async def sweep(self):
        for _ in range(12):
            async with self.database.writing() as session:
                stale = await endings.abort_stale(session, at=now(), limit=3)
            self.ended["stale"] += len(stale)
            async with self.database.writing() as session:
                gone = await cancel.expire(session, at=now(), limit=3)
            self.ended["gone"] += len(gone)


async def test_everything_at_once(database):
    chaos = Chaos(database)
    lives = [factories.LIFE, factories.LIFE, -expiry.GRACE]
    await at_once(*(chaos.ask(n=1 + k % 7, life=lives[k % 3]) for k in range(45)))
    cancelled = chaos.requests[::5]
    await at_once(
        *(chaos.work(number) for number in range(10)),
        *(chaos.cancel(request_id) for request_id in cancelled),
        chaos.sweep(),
    )
    assert set(chaos.ended) == {"faulted", "done", "stale", "gone"}
    assert min(chaos.ended.values()) > 0, chaos.ended
    async with database.reading() as session:
        await check_sums(session, cancelled)


async def check_sums(session, cancelled):
    asked, rows = table(RequestRow), table(Job)
    counted = select(asked.c.n, func.count().label("jobs")).join(rows).group_by(asked.c.id)
    assert all(row.n == row.jobs for row in await session.execute(counted))
    alive = select(table(AttemptRow).c.job_id, func.count().label("alive")).where(
        table(AttemptRow).c.outcome == Outcome.ALIVE
    )
    alive_by_job = dict((await session.execute(alive.group_by(AttemptRow.job_id))).all())
    for job in await session.execute(select(rows)):
        assert alive_by_job.get(job.id, 0) == (job.state == JobState.PROCESSING)
    waiting = select(rows.c.id).where(
        rows.c.request_id.in_(cancelled), rows.c.state == JobState.WAITING
    )
    assert (await session.scalars(waiting)).all() == []
    over = select(asked.c.id).where(asked.c.faulted_at.is_not(None))
    still = select(rows.c.id).where(rows.c.request_id.in_(over), rows.c.state == JobState.WAITING)
    assert (await session.scalars(still)).all() == []


async def test_a_cancelled_job_does_not_come_back(database):
    """The worker gives a job back in the very moment in which its request is cancelled."""
    lanes = Lanes(2000)
    for _ in range(12):
        async with database.writing() as session:
            asked = await factories.request(session, lanes, n=6)
        ids = [attempt for _, attempt in await pop(database, lanes, Offer(), amount=6)]

        async def give_back(attempt_id):
            async with database.writing() as session:
                await endings.fault(session, attempt_id, at=now())

        async def stop(request_id):
            async with database.writing() as session:
                await requests.cancel(session, request_id, at=now())

        await at_once(*(give_back(attempt) for attempt in ids), stop(asked.request_id))
        async with database.reading() as session:
            states = await factories.states(session, asked.request_id)
        assert states == [JobState.CANCELLED] * 6


async def test_a_result_is_taken_once(database):
    lanes = Lanes(2000)
    total = await fill(database, lanes, 5, 8)
    popped = [await pop(database, lanes, Offer(), amount=8) for _ in range(5)]
    ids = [attempt for found in popped for _, attempt in found]
    assert len(ids) == total

    async def submit(attempt_id):
        async with database.writing() as session:
            return await factories.finished(session, attempt_id)

    taken = await at_once(*(submit(attempt) for attempt in ids * 3))
    assert taken.count(True) == total
    async with database.reading() as session:
        kept = await session.scalar(select(func.count()).select_from(table(Generation)))
    assert kept == total
