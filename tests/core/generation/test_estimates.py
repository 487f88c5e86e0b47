"""Told waits against real ones, in hordes of known workers whose clock is the test's own."""

import heapq
import itertools
import random
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

import factories
from core.db import Database
from core.generation import status
from core.queue import attempts, totals
from core.queue.matching import Needs, Offer
from core.workers import fleet, online, records

START = datetime(2026, 1, 1, tzinfo=UTC)
UPKEEP_SECONDS = 5
MIN_WAIT = 5
TINY, SMALL, LARGE, HUGE = 64 * 64 * 3, 256 * 256 * 20, 512 * 512 * 30, 1024 * 1024 * 30
MIN_COMPOSED = 128 * 128 * 3
"""Nothing is made smaller than this; it is cut down to what was asked."""


@dataclass
class Law:
    """What a worker takes, which the horde has to find out."""

    fixed: float
    per_thing: float
    threads: int = 1
    ahead: int = 0
    """How many more jobs it takes while it is at others."""
    most: int = HUGE
    """It takes no larger jobs."""
    models: tuple[str, ...] = ("stable_diffusion",)
    batch: int = 1
    offer: Offer = field(default_factory=Offer)
    worker_id: object = None
    owner_id: int = 0
    mine: deque = field(default_factory=deque)
    at_work: int = 0

    def seconds(self, jobs, things, chance):
        rendered = max(things, jobs * MIN_COMPOSED)
        return (self.fixed + self.per_thing * rendered) * chance.lognormvariate(0, 0.1)


class Simulation:
    """A queue on a real database, and workers that take from it in a time of their own."""

    def __init__(self, session, horde, monkeypatch, laws, seed=1):
        self.session, self.horde, self.laws = session, horde, laws
        self.chance = random.Random(seed)
        self.seconds = 0.0
        self.events, self.order = [], itertools.count()
        self.open, self.told, self.results = {}, {}, []
        monkeypatch.setattr(status, "now", lambda: self.at)
        monkeypatch.setattr(online, "time", SimpleNamespace(monotonic=lambda: self.seconds))

    @property
    def at(self):
        return START + timedelta(seconds=self.seconds)

    async def begin(self):
        for number, law in enumerate(self.laws):
            owner, _ = await factories.user(self.session)
            declared = factories.declared(
                name=f"worker {number}",
                threads=law.threads,
                models=list(law.models),
                max_pixels=law.most,
            )
            checked_in = await fleet.check_in(self.session, owner, declared, at=self.at)
            law.offer, law.worker_id, law.owner_id = checked_in.offer, checked_in.id, owner.id
            later = self.at + timedelta(days=1)
            await factories.change_worker(self.session, law.worker_id, seen_at=later)
        self.after(UPKEEP_SECONDS, self.upkeep)

    def after(self, seconds, do, *args):
        heapq.heappush(self.events, (self.seconds + seconds, next(self.order), do, args))

    async def run(self, until=None):
        """Let time pass: until then, or until nothing is to be done."""
        while self.events and (self.open or until is not None):
            if until is not None and self.events[0][0] > until:
                self.seconds = until
                return
            self.seconds, _, do, args = heapq.heappop(self.events)
            await do(*args)

    async def ask(self, things, n=1, model="stable_diffusion"):
        needs = Needs(models=frozenset({model}), pixels=things)  # a limit by size, as of a worker
        asked = await factories.request(
            self.session,
            self.horde.lanes,
            n=n,
            things=things,
            needs=needs,
            at=self.at,
            life=timedelta(days=1),
        )
        found = await status.look(self.session, self.horde, str(asked.request_id))
        assert found.outlook.possible
        self.open[asked.request_id] = n
        self.told[asked.request_id] = (self.seconds, found.outlook.seconds)
        for law in self.laws:
            await self.pop(law)

    async def pop(self, law):
        """Take work as long as there is room."""
        while law.at_work + len(law.mine) < law.threads + law.ahead:
            found = await factories.claimed(
                self.session, self.horde.lanes, law.offer, amount=law.batch, at=self.at
            )
            if found is None:
                return
            ids = await attempts.start(
                self.session,
                found,
                worker_id=law.worker_id,
                owner_id=law.owner_id,
                model=self.chance.choice(sorted(law.offer.models)),
                at=self.at,
                deadline=self.at + timedelta(days=1),
                expires_at=self.at + timedelta(days=1),
            )
            things = [job.things for job in found.jobs]
            law.mine.append((found.request.id, list(zip(ids, things, strict=True))))
            self.work(law)

    def work(self, law):
        while law.mine and law.at_work < law.threads:
            request_id, jobs = law.mine.popleft()
            law.at_work += 1
            took = law.seconds(len(jobs), sum(things for _, things in jobs), self.chance)
            self.after(took, self.deliver, law, request_id, jobs)

    async def deliver(self, law, request_id, jobs):
        law.at_work -= 1
        for attempt_id, things in jobs:
            made = {"charge": 0, "reward": 0, "things": things}
            assert await factories.finished(self.session, attempt_id, at=self.at, **made)
        self.open[request_id] -= len(jobs)
        if not self.open[request_id]:
            del self.open[request_id]
            asked, told = self.told[request_id]
            self.results.append((told, self.seconds - asked))
        self.work(law)
        await self.pop(law)

    async def upkeep(self):
        await records.add(self.session, await totals.take_uncounted(self.session, 500))
        self.after(UPKEEP_SECONDS, self.upkeep)

    def share_within(self, factor):
        """The share of the requests that waited over 5 s whose wait was told within the factor."""
        waited = [(told, real) for told, real in self.results if real > MIN_WAIT]
        assert len(waited) > 30
        right = [real / factor <= told <= real * factor for told, real in waited]
        return sum(right) / len(right)


FAST, SLOW, HASTY = Law(0.3, 0.25e-6), Law(1.0, 1e-6), Law(3.0, 0.05e-6)


@pytest.fixture
async def simulated(sqlite_url, tmp_path, monkeypatch):
    """Makes a horde of these workers; they have no engine of their own, nor need one each."""
    database = Database(sqlite_url)
    async with database.writing() as session:

        async def make(*laws, seed=1):
            horde = factories.horde(tmp_path)
            simulation = Simulation(session, horde, monkeypatch, [*map(copied, laws)], seed)
            await simulation.begin()
            return simulation

        yield make
    await database.close()


def copied(law):
    plain = ("fixed", "per_thing", "threads", "ahead", "most", "models", "batch")
    return Law(**{name: getattr(law, name) for name in plain})


async def mixed(simulation, sizes, *, requests=100, load=1.2):
    """Ask for now this, now that, in bursts of one size as people do, faster than it is made."""
    chance = simulation.chance
    rate = sum(
        law.threads / (law.fixed + law.per_thing * sum(sizes) / len(sizes))
        for law in simulation.laws
    )
    asked = 0
    while asked < requests:
        size, n = chance.choice(sizes), chance.choice((1, 1, 1, 2, 4))
        burst = chance.choice((1, 2, 5, 20, 30))
        for _ in range(burst):
            await simulation.ask(size, n)
        asked += burst
        pause = burst * 1.8 / rate / load * chance.uniform(0.3, 1.7)
        await simulation.run(until=simulation.seconds + pause)
    await simulation.run()


WORKERS = {
    "one": (FAST,),
    "one slow": (SLOW,),
    "one whose jobs all take alike": (HASTY,),
    "three": (FAST, SLOW, HASTY),
    "one with three threads": (Law(2.0, 0.5e-6, threads=3),),
    "one that takes the next ahead": (Law(0.3, 0.25e-6, ahead=1),),
    "one that makes batches": (Law(1.0, 0.25e-6, batch=4),),
    "three of which one makes small ones alone": (FAST, SLOW, Law(0.3, 0.25e-6, most=SMALL)),
}


@pytest.mark.parametrize("name", WORKERS)
async def test_told_waits_are_right_for_small_and_large_jobs_mixed(simulated, name):
    simulation = await simulated(*WORKERS[name])
    await mixed(simulation, [TINY, SMALL, LARGE])
    assert simulation.share_within(2) >= 0.8
