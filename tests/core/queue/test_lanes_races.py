"""Lanes that come and go while requests come in."""

import asyncio
from datetime import timedelta

from sqlalchemy import func, select, update

import factories
from core.db import Database, now, table
from core.queue import lane_rows
from core.queue.lane_rows import EMPTY_LANE_LIFE
from core.queue.lanes import Lanes
from core.queue.matching import Needs
from core.queue.tables import Job, JobState, Lane

AT_ONCE = 12


async def at_once(*tasks):
    async with asyncio.timeout(60):
        return await asyncio.gather(*tasks)


async def ask(database, lanes, needs):
    async with database.writing() as session:
        return await factories.request(session, lanes, needs=needs)


async def test_the_same_new_lane_is_made_once(database):
    lanes = Lanes(100)
    made = await at_once(*(ask(database, lanes, Needs()) for _ in range(AT_ONCE)))
    assert len({queued.lane_id for queued in made}) == 1


async def test_never_more_lanes_than_allowed(database):
    lanes = Lanes(3)
    made = await at_once(*(ask(database, lanes, Needs(pixels=4**n)) for n in range(AT_ONCE)))
    async with database.reading() as session:
        count = await session.scalar(select(func.count()).select_from(table(Lane)))
    assert count == 3 + 1  # and the catch-all
    assert len({queued.lane_id for queued in made}) == count


async def test_no_job_loses_its_lane(database):
    """Emptied lanes are removed while requests for the same lanes come in."""
    lanes = Lanes(100)
    jobs = table(Job)

    async def remove(_):
        async with database.writing() as session:
            old = now() - EMPTY_LANE_LIFE - timedelta(seconds=1)
            await session.execute(update(jobs).where(jobs.c.state == 0).values(state=JobState.DONE))
            await session.execute(update(table(Lane)).values(created_at=old))
        async with database.writing() as session:
            return await lane_rows.remove_empty(session)

    removed = 0
    for asking in (AT_ONCE, AT_ONCE // 2, 3, 1) * 3:  # one asks for a lane of three: two are free
        tasks = [ask(database, lanes, Needs(pixels=4 ** (n % 3))) for n in range(asking)]
        answers = await at_once(*tasks, *(remove(n) for n in range(3)))
        removed += sum(answers[len(tasks) :])
        async with database.reading() as session:
            lost = await session.scalars(
                select(jobs.c.id).where(
                    jobs.c.state == JobState.WAITING,
                    jobs.c.lane_id.not_in(select(table(Lane).c.id)),
                )
            )
            assert lost.all() == []
    assert removed


async def test_a_lane_that_a_request_is_about_to_join_stays(postgres_url):
    database, lanes = Database(postgres_url), Lanes(100)
    queued = await ask(database, lanes, Needs())
    async with database.writing() as session:
        old = now() - EMPTY_LANE_LIFE - timedelta(seconds=1)
        await session.execute(update(table(Job)).values(state=JobState.DONE))
        await session.execute(update(table(Lane)).values(created_at=old))

    async def remove():
        async with database.writing() as session:
            return await lane_rows.remove_empty(session)

    async with database.writing() as asking:
        joined = await factories.request(asking, lanes, needs=Needs())
        assert joined.lane_id == queued.lane_id
        removing = asyncio.create_task(remove())
        await factories.until_blocked(database, removing)  # it is not: it passes the lane by
    assert await asyncio.wait_for(removing, 20) == 0
    async with database.reading() as session:
        assert await session.scalar(select(Lane.id).where(Lane.id == joined.lane_id))
    await database.close()


async def test_who_removes_lanes_and_who_adds_one_do_not_wait_for_each_other(postgres_url):
    """SQLite has one writer at a time."""
    database, lanes = Database(postgres_url), Lanes(100)
    await ask(database, lanes, Needs())
    async with database.writing() as session:
        old = now() - EMPTY_LANE_LIFE - timedelta(seconds=1)
        await session.execute(update(table(Job)).values(state=JobState.DONE))
        await session.execute(update(table(Lane)).values(created_at=old))
        key = await session.scalar(select(table(Lane).c.key))

    async def remove():
        async with database.writing() as session:
            return await lane_rows.remove_empty(session)

    async with database.writing() as adding:
        await lane_rows.raise_version(adding)
        removing = asyncio.create_task(remove())
        assert await factories.until_blocked(database, removing)
        assert await lane_rows.add(adding, key, {}) is not None
    assert await asyncio.wait_for(removing, 20) == 1
    await database.close()
