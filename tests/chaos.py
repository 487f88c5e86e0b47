"""A horde of real processes that may be killed at any moment, and what must hold all the same."""

import asyncio
import contextlib
import os
import random
import signal
from collections.abc import AsyncIterator
from datetime import timedelta

from sqlalchemy import exists, func, select, text

import factories
import serving
import working
from core.client import HordeClient, HordeError, Retries
from core.db import Database, now
from core.kudos import prices
from core.ledger import audit
from core.ledger.tables import Entry, Event, Hold, SystemAccount
from core.queue.endings import MAX_OPINIONS
from core.queue.tables import AttemptRow, Generation, Job, JobState, Outcome, RequestRow
from core.upkeep import steps
from core.wire.generate import GenerationInputStable
from horde_command import descendants, wait_until_gone

MODEL = "horde-tiny"
SIDE, STEPS = 64, 6
VICTIMS = ("server", "worker", "engine")
ONCE = Retries(attempts=1)
ASKED_AGAIN_SECONDS = 3
BUSY_SECONDS = 60
GOING_ON = (JobState.WAITING, JobState.PROCESSING)


class Chaos:
    """One server and one worker on a database; `kill` and `restart` any of them.

    light: whether the worker renders without torch.
    """

    def __init__(self, database_url, data_dir, port, model, *, light=True):
        self.url = f"http://127.0.0.1:{port}"
        self.database = Database(database_url)
        self._horde = factories.horde(data_dir)  # as upkeep knows it
        self._model, self._light = model, light
        self._settings = {"database_url": database_url, "port": port, "default_models": "[]"}
        self._running = contextlib.ExitStack()
        self.accepted: list[str] = []
        self.start_server()
        self.owner = self.server.user("Owner", oauth_id="g_owner")
        rich = self.server.user("Rich", oauth_id="g_rich", kudos=1000)
        poor = self.server.user("Poor", oauth_id="g_poor", kudos=5)
        self.keys = [rich.key, poor.key, serving.ANONYMOUS]

    @property
    def pictures(self):
        """The folder of pictures."""
        return self._horde.settings.pictures

    def start_server(self):
        data_dir = self._horde.settings.data_dir
        process = serving.process(data_dir, **self._settings)
        self.server = self._running.enter_context(process)

    def start_worker(self):
        process = working.process(
            self.url, self.owner.key, light=self._light, name="w", models=f'["{self._model}"]'
        )
        self.worker = self._running.enter_context(process)

    def stop_worker(self):
        """Let it finish what it has."""
        self.worker.popen.terminate()
        self.worker.popen.wait(working.STOP_SECONDS)

    def kill(self, victim):
        """End a process without a goodbye. An engine must not outlive its control process."""
        if victim == "server":
            self.server.kill()
        elif victim == "worker":
            theirs = descendants(self.worker.popen.pid)
            self.worker.kill()
            wait_until_gone(theirs)
        else:
            # There may be none: the last one was killed just now, and perhaps its worker gave up.
            with contextlib.suppress(ProcessLookupError, AssertionError):
                os.kill(self.worker.engine, signal.SIGKILL)

    def restart(self, victim):
        """Start again what was killed; an engine is the worker's to start."""
        if victim == "server":
            self.start_server()
        elif victim == "worker":
            self.start_worker()

    async def close(self):
        await asyncio.to_thread(self._running.close)
        await self.database.close()

    @contextlib.asynccontextmanager
    async def asking(self) -> AsyncIterator[None]:
        """All users ask meanwhile, again and again."""
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for key in self.keys:
                group.create_task(self._ask_until(stop, key))
            try:
                yield
            finally:
                stop.set()

    async def _ask_until(self, stop, key):
        params = {"width": SIDE, "height": SIDE, "steps": STEPS, "n": 2}
        ask = GenerationInputStable.model_validate({"prompt": "a fox", "params": params})
        async with HordeClient(self.url, key, retries=ONCE) as client:
            while not stop.is_set():
                try:
                    asked = await client.generate(ask)
                    self.accepted.append(asked.id)
                    await client.wait_for(asked.id, ASKED_AGAIN_SECONDS)
                except HordeError:  # nobody there, or not done yet: the next may be luckier
                    await asyncio.sleep(0.2)

    async def until_busy(self):
        """Wait until a job is worked on."""
        try:
            async with asyncio.timeout(BUSY_SECONDS):
                while not await self._count(AttemptRow.outcome == Outcome.ALIVE):
                    await self._revive_worker()
                    await asyncio.sleep(0.02)
        except TimeoutError:
            said = "".join([*self.server.log, *self.worker.log])
            raise AssertionError(f"nothing is worked on:\n{said}") from None

    async def _revive_worker(self):
        """Start it again where it gave up: its engine was killed three times within one job."""
        if self.worker.popen.poll() is not None:
            await asyncio.to_thread(self.start_worker)

    async def _count(self, condition):
        async with self.database.reading() as session:
            return await session.scalar(select(func.count()).where(condition))

    async def finish(self):
        """Go on until every request is over, whatever was lost on the way.

        What no process knows of any more ends as upkeep ends it, some minutes early.
        """
        while await self._count(Job.state.in_(GOING_ON)):
            async with asyncio.timeout(BUSY_SECONDS):
                while await self._count(Job.state == JobState.WAITING):
                    await self._revive_worker()
                    await asyncio.sleep(0.1)
            await asyncio.to_thread(self.stop_worker)
            await self.upkeep(steps.abort_stale, minutes=15)
            await asyncio.to_thread(self.start_worker)

    async def upkeep(self, step, **later):
        """Do a step of upkeep as if it were later."""
        async with self.database.writing() as session:
            _, after = await step(session, self._horde, now() + timedelta(**later))
        if after is not None:
            await after()

    @contextlib.asynccontextmanager
    async def _moment(self):
        """A session that sees one moment, also while others write."""
        async with self.database.writing() as session:
            if not self.database.is_sqlite:
                await session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            yield session

    async def check_books(self):
        """No kudos came or went but for what was made; nothing was delivered or paid twice."""
        async with self._moment() as session:
            assert (found := await audit.audit(session)).balanced, found
            made = (
                await session.execute(
                    select(
                        func.count(),
                        func.coalesce(func.sum(AttemptRow.charge), 0),
                        func.coalesce(func.sum(AttemptRow.reward), 0),
                    ).where(AttemptRow.outcome == Outcome.DONE)
                )
            ).one()
            await _check_settlements(session, *map(int, made))
            await _check_deliveries(session, made[0])
            requests = await session.scalar(select(func.count()).select_from(RequestRow))
            burned = await _moved(session, "tax", Entry.account_id == SystemAccount.TAX)
            assert burned == requests * prices.request_tax()
            await _check_holds(session)

    async def check_over(self):
        """Every request that was accepted is over, and its pictures can be had."""
        assert self.accepted
        finished = 0
        async with HordeClient(self.url) as client:
            for request_id in self.accepted:
                status = await client.status(request_id)
                assert status.done
                # A picture whose worker was killed three times is given up, and it alone.
                given_up = sum(fault.tries >= MAX_OPINIONS for fault in status.faults or ())
                assert status.faulted or status.finished + given_up >= 2
                assert len({one.id for one in status.generations}) == status.finished
                for one in status.generations:
                    assert (await client.download(one.img))[8:12] == b"WEBP"
                finished += status.finished
        assert finished, "nothing was made: nothing was tested"

    async def check_gone(self):
        """After their life nothing of the requests is left, and nothing is held."""
        await self.upkeep(steps.expire, hours=1)
        assert not await self._count(Hold.amount >= 0)
        assert not await self._count(RequestRow.n > 0)
        assert not await self._count(AttemptRow.outcome == Outcome.ALIVE)
        assert list(self.pictures.rglob("*.webp")) == []
        async with self.database.reading() as session:
            assert (await audit.audit(session)).balanced


async def _moved(session, kind, *conditions):
    """The sum of some entries of all events of a kind."""
    entries = select(func.coalesce(func.sum(Entry.amount), 0)).join(
        Event, Event.id == Entry.event_id
    )
    return int(await session.scalar(entries.where(Event.kind == kind, *conditions)))


async def _check_settlements(session, count, charged, rewarded):
    settled = select(func.count()).select_from(Event).where(Event.kind == "settlement")
    assert await session.scalar(settled) == count
    # A job's event says what its attempt says: the difference is burned or minted.
    system = Entry.account_id.in_((SystemAccount.TAX, SystemAccount.REWARDS))
    assert await _moved(session, "settlement", system) == charged - rewarded
    paid = Entry.account_id.in_((SystemAccount.FORGIVENESS, SystemAccount.ANONYMOUS))
    users = Entry.account_id > max(SystemAccount)
    assert await _moved(session, "settlement", paid | users) == rewarded - charged
    assert await _moved(session, "settlement", users, Entry.amount > 0) == rewarded


async def _check_deliveries(session, count):
    """Each attempt that is done brought one picture, and each job has one at most."""
    pictures = select(func.count(), func.count(AttemptRow.job_id.distinct()))
    kept = pictures.select_from(Generation).join(AttemptRow, AttemptRow.id == Generation.attempt_id)
    assert tuple((await session.execute(kept)).one()) == (count, count)
    done = select(func.count()).select_from(Job).where(Job.state == JobState.DONE)
    assert await session.scalar(done) == count
    alive = (
        select(AttemptRow.job_id)
        .where(AttemptRow.outcome == Outcome.ALIVE)
        .group_by(AttemptRow.job_id)
        .having(func.count() > 1)
    )
    assert (await session.execute(alive)).all() == []


async def _check_holds(session):
    """What is held belongs to requests that are not over."""
    going_on = exists().where(Job.request_id == RequestRow.id, Job.state.in_(GOING_ON))
    keys = [
        f"request:{one}" for one in await session.scalars(select(RequestRow.id).where(going_on))
    ]
    orphans = select(Hold.key).where(Hold.key.not_in(keys))
    assert (await session.execute(orphans)).all() == []


async def rage(chaos, victims, chance: random.Random):
    """Kill one after the other at any moment of their work, and start them again."""
    for victim in victims:
        await chaos.until_busy()
        await asyncio.sleep(chance.uniform(0, 0.5))
        await asyncio.to_thread(chaos.kill, victim)
        await chaos.check_books()
        await asyncio.to_thread(chaos.restart, victim)
