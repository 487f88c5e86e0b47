import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import insert, select

import factories
from core.db import now, table
from core.upkeep import lease, runner
from core.upkeep.runner import DUTY, LEASE, Upkeep
from core.upkeep.steps import Round, Step
from core.upkeep.tables import Lease

ANOTHER = insert(table(Lease)).values(duty="another", holder="x", until=now())


@pytest.fixture
def upkeep(database, tmp_path):
    return Upkeep(database, factories.horde(tmp_path))


@pytest.fixture
def done(monkeypatch):
    """The names of steps that were done; `done.are(name=function)` says which there are."""

    class Done(list):
        def are(self, **steps):
            def noting(name, function):
                async def run(session, horde, at):
                    self.append(name)
                    return await function(session) if function else Round()

                return run

            made = [Step(name, 3600, noting(name, function)) for name, function in steps.items()]
            monkeypatch.setattr(runner, "STEPS", made)

    return Done()


async def fails(session):
    await session.execute(select(1))
    raise ZeroDivisionError


async def test_a_step_that_fails_stops_no_other(upkeep, done):
    done.are(first=None, bad=fails, last=None)
    await upkeep.turn()
    assert done == ["first", "bad", "last"]


async def test_what_a_failing_step_wrote_is_undone(database, upkeep, done):
    async def writes_and_fails(session):
        await session.execute(ANOTHER)
        raise ZeroDivisionError

    done.are(bad=writes_and_fails)
    await upkeep.turn()
    async with database.reading() as session:
        assert list(await session.scalars(select(Lease.duty))) == [DUTY]


async def test_a_step_waits_for_its_time_also_where_it_failed(upkeep, done):
    done.are(good=None, bad=fails)
    await upkeep.turn()
    await upkeep.turn()
    assert done == ["good", "bad"]


async def test_after_a_full_batch_a_step_is_due_at_once(upkeep, done):
    batches = iter([True, True, False])

    async def full_twice(session):
        return Round(more=next(batches))

    done.are(long=full_twice, short=None)
    assert [await upkeep.turn() for _ in range(4)] == [True, True, False, False]
    assert done == ["long", "short", "long", "long"]


async def test_after_a_step_comes_what_is_to_be_done_after_its_commit(database, upkeep, done):
    seen = []

    async def writes(session):
        await session.execute(ANOTHER)

        async def after():
            async with database.reading() as reading:
                seen.extend(await reading.scalars(select(Lease.duty).order_by(Lease.duty)))

        return Round(after=after)

    done.are(step=writes)
    await upkeep.turn()
    assert seen == ["another", DUTY]


async def test_without_the_lease_nothing_is_done(database, upkeep, done):
    done.are(step=None)
    async with database.writing() as session:
        await lease.take(session, DUTY, "another", at=now(), length=LEASE)
    assert not await upkeep.turn()
    assert done == []


async def test_who_loses_the_lease_meanwhile_stops(database, upkeep, done):
    """A process that slept through its lease must not do what another does now."""

    async def another_takes_over(session):
        async def after():
            async with database.writing() as others:
                late = now() + LEASE + timedelta(seconds=1)
                await lease.take(others, DUTY, "another", at=late, length=LEASE)

        return Round(after=after)

    done.are(first=another_takes_over, second=None)
    await upkeep.turn()
    assert done == ["first"]


async def test_of_two_at_once_one_does_the_steps(database, tmp_path, done):
    done.are(step=None)
    both = [Upkeep(database, factories.horde(tmp_path)) for _ in range(2)]
    await asyncio.gather(*(one.turn() for one in both))
    assert done == ["step"]


async def test_stopping_gives_the_lease_up(database, upkeep, done, tmp_path):
    first = asyncio.Event()

    async def tell(session):
        async def after():
            first.set()

        return Round(after=after)

    done.are(step=tell)
    running = asyncio.create_task(upkeep.run())
    await asyncio.wait_for(first.wait(), 10)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await Upkeep(database, factories.horde(tmp_path)).turn()
    assert done == ["step", "step"]


async def test_it_goes_on_after_a_failure_of_its_own(database, upkeep, done, monkeypatch):
    """As where the database is away for a while."""
    first = asyncio.Event()

    async def tell(session):
        first.set()
        return Round()

    done.are(step=tell)
    takes = []
    take = lease.take

    async def away_at_first(*args, **kwargs):
        takes.append(args)
        if len(takes) == 1:
            raise ConnectionRefusedError
        return await take(*args, **kwargs)

    monkeypatch.setattr(lease, "take", away_at_first)
    monkeypatch.setattr(runner, "RENEWED_EVERY_SECONDS", 0.01)
    running = asyncio.create_task(upkeep.run())
    await asyncio.wait_for(first.wait(), 10)
    running.cancel()
    await asyncio.wait({running})
    assert done == ["step"]
