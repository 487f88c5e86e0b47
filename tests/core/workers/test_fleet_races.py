"""A worker's threads pop at the same time."""

import asyncio
from datetime import timedelta

import factories
from core.db import now
from core.workers import fleet

AT_ONCE = 8


async def check_in(database, owner, at, **changes):
    async with database.writing() as session:
        declared = factories.declared(**changes)
        return await fleet.check_in(session, owner, declared, at=at)


async def at_once(*tasks):
    async with asyncio.timeout(60):
        return await asyncio.gather(*tasks)


async def owner_of(database):
    async with database.writing() as session:
        return (await factories.user(session))[0]


async def test_a_new_worker_is_made_once(database):
    owner = await owner_of(database)
    seen = await at_once(*(check_in(database, owner, now()) for _ in range(AT_ONCE)))
    assert len({each.id for each in seen}) == 1
    assert [each.is_new for each in seen].count(True) == 1
    assert {each.offer.worker_id for each in seen} == {str(seen[0].id)}


async def test_a_new_name_is_one_users(database):
    owners = [await owner_of(database) for _ in range(AT_ONCE)]
    tasks = [check_in(database, owner, now()) for owner in owners]
    async with asyncio.timeout(60):
        answers = await asyncio.gather(*tasks, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, fleet.WrongCredentials)]
    assert len(refused) == AT_ONCE - 1


async def test_uptime_is_counted_once(database):
    owner, at = await owner_of(database), now()
    await check_in(database, owner, at)
    for turn in range(1, 4):
        later = at + timedelta(seconds=40 * turn)
        await at_once(*(check_in(database, owner, later) for _ in range(AT_ONCE)))
        async with database.reading() as session:
            assert (await fleet.by_name(session, "a worker")).uptime_seconds == 40 * turn
