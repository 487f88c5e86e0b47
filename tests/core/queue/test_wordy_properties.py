"""Whatever is put aside for its words, and whenever: each worker gets its best job."""

import asyncio
import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

import factories
from core.db import Database, now, table
from core.queue import endings, matching, seeking, wordy
from core.queue.lanes import Lanes
from core.queue.matching import Needs, Offer
from core.queue.tables import WAITING, Job, JobState, RequestRow

WORDS = ("fox", "Dog", "Éléphant", "a d")
LATER = timedelta(minutes=1)

sizes = st.sampled_from([0, 8, 12])
asks = st.tuples(
    st.builds(Needs, pixels=sizes, nsfw=st.booleans()),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=3),
    st.integers(1, 20),  # jobs
    st.integers(0, 3),  # priority
)
offers = st.builds(
    Offer,
    pixels=st.sampled_from([8, 10, matching.UNLIMITED]),
    nsfw=st.just(value=True) | st.booleans(),
    blacklist=st.frozensets(st.sampled_from([word.lower() for word in WORDS]), max_size=2),
)
sort_or_fault = st.sampled_from(["sort", "sort", "fault"])
steps = st.one_of(asks, offers, offers, sort_or_fault, sort_or_fault)

jobs, requests = table(Job), table(RequestRow)


@pytest.fixture(scope="module")
def runner():
    with asyncio.Runner() as runner:
        yield runner


class Queue:
    """A queue with its workers, step by step."""

    def __init__(self, session, max_lanes, refusing, seen):
        self.session, self.lanes, self.refusing, self.seen = (
            session,
            Lanes(max_lanes),
            refusing,
            seen,
        )
        self.running = []

    async def ask(self, needs, words, count, priority):
        prompt = f"a {' and '.join(words)}"
        await factories.request(
            self.session, self.lanes, needs=needs, n=count, priority=priority, prompt=prompt
        )

    async def sort(self):
        await self.lanes.update(self.session)
        by_lane = select(jobs.c.lane_id, func.count()).where(jobs.c.state == WAITING)
        waiting = dict((await self.session.execute(by_lane.group_by(jobs.c.lane_id))).all())
        at = now() + LATER
        if await wordy.sort(self.session, self.lanes, self.refusing, waiting, at=at):
            self.seen["sorted"] += 1

    async def pop(self, offer):
        best = await self.best_of(offer)
        found = await factories.claimed(self.session, self.lanes, offer)
        assert (found.jobs[0].id if found else None) == best
        self.seen["served" if found else "sent away"] += 1
        if found:
            self.running += await factories.started(self.session, found)

    async def fault(self):
        if self.running:
            self.seen["faulted"] += await endings.fault(
                self.session, self.running.pop(0), at=now() - LATER
            )

    async def best_of(self, offer):
        """The id of the best job that fits, by comparing the offer with each."""
        rows = await self.session.execute(
            select(jobs.c.id, requests.c.needs, requests.c.prompt)
            .join(requests, requests.c.id == jobs.c.request_id)
            .where(jobs.c.state == JobState.WAITING)
            .order_by(jobs.c.rank, jobs.c.id)
        )
        for row in rows.all():
            exact = replace(Needs.from_json(row.needs), words=row.prompt.lower())
            if matching.accepts(exact, offer):
                return row.id
        return None


async def live(url, max_lanes, first, taken, seen):
    database = Database(url)
    try:
        async with factories.undone(database) as session:
            refusing = [step for step in taken if isinstance(step, Offer)]
            queue = Queue(session, max_lanes, refusing, seen)
            for ask in first:
                await queue.ask(*ask)
            for step in taken:
                if isinstance(step, Offer):
                    await queue.pop(step)
                elif isinstance(step, tuple):
                    await queue.ask(*step)
                elif step == "sort":
                    await queue.sort()
                else:
                    await queue.fault()
    finally:
        await database.close()


@pytest.mark.timeout(600)  # a failure is shrunk, which takes minutes on real databases
def test_each_worker_gets_its_best_job_whatever_is_put_aside(database_url, runner, monkeypatch):
    monkeypatch.setattr(wordy, "FEW", 1)
    monkeypatch.setattr(wordy, "WORTH", 1)
    monkeypatch.setattr(wordy, "FRONT", 9)
    monkeypatch.setattr(seeking, "FEW_LANES", 1)
    monkeypatch.setattr(seeking, "FRONT", 3)
    seen = Counter()

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(
        st.sampled_from([2000, 2000, 12, 2]),
        st.lists(asks, min_size=2, max_size=6),
        st.lists(steps, min_size=10, max_size=24),
    )
    def check(max_lanes, first, taken):
        runner.run(live(database_url, max_lanes, first, taken, seen))

    check()
    assert all(seen[what] for what in ("served", "sent away", "sorted", "faulted"))


@pytest.mark.parametrize("words", [[], ["a dog"], ["a dog", "a cat"]])
async def test_in_many_lanes_the_best_job_that_fits_is_found(session, words, monkeypatch):
    monkeypatch.setattr(seeking, "FRONT", 4)
    chance = random.Random(7)
    queue = Queue(session, 2000, [], Counter())
    for pixels in range(50):
        prompts = ["dog"] if pixels % 3 else ["cat"]
        await queue.ask(Needs(pixels=pixels), prompts, 1, chance.randrange(10**6))
    offer = Offer(blacklist=frozenset(words), pixels=50)
    picky = replace(offer, blacklist=offer.blacklist | {"nothing of it"})
    for _ in range(8):
        await queue.pop(picky)
    expected = "sent away" if len(words) > 1 else "served"
    assert queue.seen == {expected: 8}
