"""Many requesters and workers at once: every job is made and paid once, and the ledger is sound."""

import asyncio
from collections import Counter

import pytest
from sqlalchemy import func, select

import factories
import lives
from core.db import table
from core.errors import Refusal
from core.generation import ask as asks
from core.generation import cancel
from core.generation.submit import AbortedGen, DuplicateGen
from core.kinds.image import ImageParams
from core.ledger import accounts, audit
from core.ledger.tables import Event, Hold, SystemAccount
from core.queue.tables import Generation, Job, JobState

SMALL = ImageParams(width=64, height=64, steps=1)
SHAPES = [(12, 3), pytest.param(50, 16, marks=pytest.mark.long)]


class Town:
    """People who ask for pictures of each other's workers."""

    def __init__(self, database, horde):
        self.database = database
        self.horde = horde
        self.counts = Counter()

    async def settle(self, people):
        async with self.database.writing() as session:
            self.people = [
                (await factories.user(session, available=700 * n, concurrency=1000))[0]
                for n in range(people)
            ]

    async def ask(self, number, n):
        user = self.people[number % len(self.people)]
        async with self.database.writing() as session:
            return await lives.asked(session, self.horde, user, params=SMALL, n=n)

    async def work(self, number):
        owner = self.people[number % len(self.people)]
        while True:
            async with self.database.writing() as session:
                popped = await lives.popped(
                    session, self.horde, owner, name=f"worker {number}", amount=2
                )
            if popped.work is None:
                return
            for attempt_id in popped.work.attempt_ids:
                is_bad = self.counts["submitted"] % 5 == 4
                self.counts["submitted"] += 1
                state = "faulted" if is_bad else "ok"
                await asyncio.gather(*(self.submit(owner, attempt_id, state) for _ in range(2)))

    async def submit(self, owner, attempt_id, state):
        try:
            async with self.database.writing() as session:
                await lives.submitted(session, self.horde, owner, attempt_id, state=state)
            self.counts[state] += 1
        except (AbortedGen, DuplicateGen) as refusal:
            self.counts[refusal.code] += 1

    async def cancel(self, request_id):
        async with self.database.writing() as session:
            await cancel.cancel(session, request_id)


@pytest.mark.parametrize(("requests", "n"), SHAPES)
async def test_everything_is_made_and_paid_once(database, horde, requests, n):
    town = Town(database, horde)
    await town.settle(4)
    async with asyncio.timeout(300):
        asked = await asyncio.gather(*(town.ask(k, n) for k in range(requests)))
        await asyncio.gather(
            *(town.work(number) for number in range(8)),
            *(town.cancel(each.request_id) for each in asked[::6]),
        )
    counts = town.counts
    assert counts["ok"] > 0
    assert counts["faulted"] > 0
    assert counts["DuplicateGen"] == counts["ok"]  # each was submitted twice
    assert counts["AbortedGen"] == counts["faulted"]
    async with database.reading() as session:
        jobs = dict(
            (
                await session.execute(
                    select(Job.state, func.count()).select_from(table(Job)).group_by(Job.state)
                )
            ).all()
        )
        assert sum(jobs.values()) == requests * n
        assert jobs[JobState.DONE] == counts["ok"]
        assert not jobs.keys() & {JobState.WAITING, JobState.PROCESSING}
        kept = await session.scalar(select(func.count()).select_from(table(Generation)))
        assert kept == counts["ok"]
        settled = select(func.count()).where(table(Event).c.kind == "settlement")
        assert await session.scalar(settled) == counts["ok"]
        assert await session.scalar(select(func.count()).select_from(table(Hold))) == 0
        assert await accounts.balance(session, SystemAccount.TAX) >= requests * 100
        said = await audit.audit(session)
    assert said.balanced, said
    assert said.held == 0


async def test_two_requests_cannot_both_use_the_last_of_the_concurrency(database, horde):
    async with database.writing() as session:
        user, _ = await factories.user(session, available=10_000, concurrency=5)

    async def ask():
        async with database.writing() as session:
            return await lives.asked(session, horde, user, params=SMALL, n=2)

    answers = await asyncio.gather(*(ask() for _ in range(8)), return_exceptions=True)
    refused = [answer.code for answer in answers if isinstance(answer, Refusal)]
    assert refused == ["TooManyPrompts"] * 6


async def test_two_heavy_requests_cannot_both_be_held_in_advance(database, horde):
    wanted = factories.image_ask(params=ImageParams(steps=90))
    enough = asks.quote(wanted).total * 3 // 2
    async with database.writing() as session:
        user, _ = await factories.user(session, available=enough)

    async def ask():
        async with database.writing() as session:
            return await lives.asked(session, horde, user, params=wanted.params)

    answers = await asyncio.gather(*(ask() for _ in range(8)), return_exceptions=True)
    refused = [answer.code for answer in answers if isinstance(answer, Refusal)]
    assert refused == ["KudosUpfront"] * 7
    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(table(Job))) == 1
