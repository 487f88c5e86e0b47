"""Whatever happens to requests, in any order: jobs and kudos are never lost or doubled."""

import asyncio
import tempfile
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select, update

import factories
from core.db import Database, now, table
from core.generation import ask, cancel, holding, pop, status, submit
from core.generation.ask import TooManyPrompts
from core.generation.delivery import Delivery
from core.generation.specs import Requester
from core.generation.submit import AbortedGen, DuplicateGen, InvalidJobID
from core.kinds.image import ImageParams
from core.ledger import audit
from core.ledger.tables import Hold, SystemAccount
from core.queue import endings, expiry, results
from core.queue.tables import AttemptRow, Job, JobState, Outcome, RequestRow
from core.users import directory

SMALL = ImageParams(width=64, height=64, steps=1)
AVAILABLE = 1500  # hundredths: enough for some pictures, not for all


class Life(RuleBasedStateMachine):
    """Requests of two users and the anonymous one, and a worker of one of them."""

    url = ""
    moved: ClassVar = Counter()

    attempts = Bundle("attempts")

    def __init__(self):
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.horde = factories.horde(Path(self.folder.name))
        self.database = Database(self.url)
        self.seen = Counter()
        self.mine = []
        self.expected = {}  # the model: the outcome of each attempt
        self.faults = Counter()
        self.run(self.begin())

    def run(self, work):
        return self.runner.run(work)

    async def begin(self):
        async with self.database.writing() as session:
            self.owner, _ = await factories.user(session, available=AVAILABLE)
            other, _ = await factories.user(session, available=AVAILABLE)
            anonymous = await directory.by_id(session, 0)
        self.users = [self.owner, other, anonymous]

    def teardown(self):
        self.run(self.end())
        self.runner.close()
        self.folder.cleanup()

    async def end(self):
        """Let everything expire: nothing is held any more, and nothing left for the next life."""
        async with self.database.writing() as session:
            later = now() + timedelta(days=1)
            await endings.abort_stale(session, at=later, limit=10**6)
            gone = await cancel.expire(session, at=later, limit=10**6)
            assert {request.request_id for request in gone} == set(self.mine)
            assert await session.scalar(select(func.count()).select_from(table(Hold))) == 0
            said = await audit.audit(session)
            self.moved["burned"] += said.system[SystemAccount.TAX]
            self.moved["forgiven"] -= said.system[SystemAccount.FORGIVENESS]
        assert said.balanced, said
        assert said.held == 0
        await self.database.close()

    # --- what happens ---

    @rule(who=st.integers(0, 2), n=st.integers(1, 4))
    def ask(self, who, n):
        async def asking():
            async with self.database.writing() as session:
                wanted = factories.image_ask(n=n, params=SMALL)
                return await ask.ask(session, self.horde, Requester(user=self.users[who]), wanted)

        try:
            asked = self.run(asking())
        except TooManyPrompts:
            assert self.run(self.count(JobState.WAITING)) + n > self.users[who].concurrency
            return
        self.mine.append(asked.request_id)
        self.moved["asked"] += 1

    @rule(target=attempts, amount=st.integers(1, 3))
    def pop(self, amount):
        async def popping():
            async with self.database.writing() as session:
                declared = factories.declared(name=f"worker {self.owner.id}")
                return await pop.pop(session, self.horde, self.owner, declared, amount=amount)

        popped = self.run(popping())
        if popped.work is None:
            waiting = self.run(self.count(JobState.WAITING))
            assert waiting == 0
            return multiple()
        assert 1 <= len(popped.work.attempt_ids) <= amount
        assert not set(popped.work.attempt_ids) & set(self.expected)
        self.expected |= dict.fromkeys(popped.work.attempt_ids, Outcome.ALIVE)
        self.moved["popped"] += len(popped.work.attempt_ids)
        return multiple(*popped.work.attempt_ids)

    async def count(self, state):
        async with self.database.reading() as session:
            return await session.scalar(
                select(func.count()).select_from(table(Job)).where(Job.state == state)
            )

    @rule(attempt_id=attempts, state=st.sampled_from(["ok", "faulted", "ok"]))
    def submit(self, attempt_id, state):
        async def submitting():
            delivery = Delivery(job_id=str(attempt_id), seed=1, state=state, metadata=[])
            async with self.database.writing() as session:
                found = await submit.look_up(
                    session, self.owner, str(attempt_id), kind_name="image"
                )
                return await submit.submit(session, self.horde, found, delivery)

        outcome = self.expected[attempt_id]
        refused = {
            Outcome.DONE: DuplicateGen,
            Outcome.FAULTED: AbortedGen,
            Outcome.ABORTED: AbortedGen,
            None: InvalidJobID,
        }
        if outcome is Outcome.ALIVE:
            self.run(submitting())
            self.expected[attempt_id] = Outcome.DONE if state == "ok" else Outcome.FAULTED
        else:
            with pytest.raises(refused[outcome]):
                self.run(submitting())
            state = "refused"
        self.moved[state] += 1

    @rule(target=attempts, amount=st.integers(1, 3), state=st.sampled_from(["ok", "faulted"]))
    def work(self, amount, state):
        popped = self.pop(amount).values
        for attempt_id in popped:
            self.submit(attempt_id, state)
        return multiple(*popped)

    @rule(target=attempts)
    def fail_all(self):
        failed = []
        while popped := self.pop(3).values:
            failed += popped
        for attempt_id in failed:
            self.submit(attempt_id, "faulted")
        return multiple(*failed)

    @precondition(lambda self: Outcome.ALIVE in self.expected.values())
    @rule(which=st.integers(0, 9))
    def go_stale(self, which):
        alive = [key for key, outcome in self.expected.items() if outcome is Outcome.ALIVE]
        attempt_id = alive[which % len(alive)]

        async def sweeping():
            rows, at = table(AttemptRow), now()
            passed = update(rows).values(deadline=at - timedelta(seconds=1))
            async with self.database.writing() as session:
                await session.execute(passed.where(rows.c.id == attempt_id))
                stale = await endings.abort_stale(session, at=at, limit=100)
                await holding.release_if_over(session, *(row.request_id for row in stale))
                return len(stale)

        assert self.run(sweeping()) == 1
        self.expected[attempt_id] = Outcome.ABORTED
        self.moved["stale"] += 1

    @precondition(lambda self: self.mine)
    @rule(which=st.integers(0, 9), way=st.sampled_from(["cancel", "expire"]))
    def stop(self, which, way):
        request_id = self.mine[which % len(self.mine)]
        self.run(self.cancel(request_id) if way == "cancel" else self.expire(request_id))
        self.moved[way] += 1

    async def cancel(self, request_id):
        async with self.database.writing() as session:
            await cancel.cancel(session, request_id)

    async def expire(self, request_id):
        rows, at = table(RequestRow), now()
        over = update(rows).where(rows.c.id == request_id)
        of_request = select(AttemptRow.id).where(AttemptRow.request_id == request_id)
        async with self.database.writing() as session:
            await session.execute(over.values(expires_at=at - expiry.GRACE))
            ids = (await session.scalars(of_request)).all()
            (gone,) = await cancel.expire(session, at=at, limit=100)
        assert gone.request_id == request_id
        assert set(gone.attempt_ids) == set(ids)
        self.expected |= dict.fromkeys(ids)
        self.mine.remove(request_id)

    # --- what holds all the while ---

    @invariant()
    def sums_hold(self):
        self.run(self.check())

    async def check(self):
        async with self.database.reading() as session:
            said = await audit.audit(session)
            assert said.balanced, said
            await self.check_jobs(session)
            held = {hold.key for hold in await session.execute(select(Hold.key))}
            requests = table(RequestRow)
            ended = select(requests.c.id).where(requests.c.cancelled_at.is_not(None))
            cancelled = set(await session.scalars(ended))
            for request_id in self.mine:
                seen = (await status.look(session, self.horde, str(request_id))).progress
                states = Counter(await factories.states(session, request_id))
                assert states.total() == seen.n
                assert seen.finished == states[JobState.DONE]
                assert seen.waiting == states[JobState.WAITING]
                assert seen.processing == states[JobState.PROCESSING]
                assert seen.restarted >= self.seen[request_id]
                self.seen[request_id] = seen.restarted
                others = states.total() - states[JobState.FAULTED] - states[JobState.CANCELLED]
                assert seen.faulted == (states[JobState.FAULTED] > 0 and not others)
                if seen.faulted or request_id in cancelled:
                    assert not states[JobState.WAITING]
                self.moved["faulted requests"] += seen.faulted
                going_on = states[JobState.WAITING] + states[JobState.PROCESSING]
                if not going_on:
                    assert holding.key_of(request_id) not in held
                finished = await results.of(session, request_id)
                assert len(finished) == seen.finished

    async def check_jobs(self, session):
        tried = (await session.execute(select(table(AttemptRow)))).all()
        stored = {row.id: Outcome(row.outcome) for row in tried}
        for attempt_id, outcome in self.expected.items():
            assert outcome is None or stored[attempt_id] is outcome
        alive = Counter(row.job_id for row in tried if row.outcome == Outcome.ALIVE)
        dead = Counter(
            row.job_id for row in tried if row.outcome in (Outcome.FAULTED, Outcome.ABORTED)
        )
        for job in await session.execute(select(table(Job))):
            assert alive[job.id] == (job.state == JobState.PROCESSING)
            assert job.faults == dead[job.id]
            assert job.faults < 3 or job.state == JobState.FAULTED


@pytest.mark.usefixtures("no_pause")
def test_any_life(database_url):
    Life.url, Life.moved = database_url, Counter()
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=12,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],  # shrinking takes longer than a test may
            suppress_health_check=list(HealthCheck),
        ),
    )
    happened = {
        "asked",
        "popped",
        "ok",
        "faulted",
        "refused",
        "stale",
        "cancel",
        "expire",
        "faulted requests",
        "burned",
        "forgiven",
    }
    assert {name for name, times in Life.moved.items() if times} >= happened, Life.moved
