import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from core.db import Database, now, table
from core.upkeep import lease
from core.upkeep.tables import Lease

AT = now()
LENGTH = timedelta(seconds=30)
SOON, LATE = AT + LENGTH / 2, AT + LENGTH


async def take(session, holder, at=AT):
    return await lease.take(session, "upkeep", holder, at=at, length=LENGTH)


async def held(session, holder, fence):
    return await lease.still_held(session, "upkeep", holder, fence)


async def test_one_has_it_and_the_other_waits(session):
    assert await take(session, "first") == 1
    assert await take(session, "second", SOON) is None
    assert await held(session, "first", 1)
    assert not await held(session, "second", 1)


async def test_renewing_keeps_the_number_and_the_other_out(session):
    await take(session, "first")
    assert await take(session, "first", SOON) == 1
    assert await take(session, "second", LATE) is None  # it would have ended by now


async def test_after_its_end_another_takes_it_and_the_first_has_lost(session):
    await take(session, "first")
    assert await take(session, "second", LATE) == 2
    assert not await held(session, "first", 1)
    assert await take(session, "first", LATE) is None


async def test_who_comes_back_after_the_end_gets_a_new_number(session):
    await take(session, "first")
    assert await take(session, "first", LATE) == 2
    assert not await held(session, "first", 1)


async def test_who_gives_up_lets_another_in_at_once(session):
    await take(session, "first")
    await lease.give_up(session, "upkeep", "first", at=SOON)
    assert await take(session, "second", SOON) == 2


async def test_nobody_gives_up_what_another_has(session):
    await take(session, "first")
    await lease.give_up(session, "upkeep", "second", at=SOON)
    assert await take(session, "second", SOON) is None


async def test_duties_are_apart(session):
    await take(session, "first")
    assert await lease.take(session, "webhooks", "second", at=AT, length=LENGTH) == 1


@pytest.mark.parametrize("is_known", [False, True], ids=["first ever", "after an end"])
async def test_of_many_at_once_one_gets_it(database_url, is_known):
    """Each has connections of its own, as processes have."""
    ones = [Database(database_url) for _ in range(5)]
    if is_known:
        async with ones[0].writing() as session:
            await take(session, "long ago", AT - LENGTH)

    async def attempt(number):
        async with ones[number].writing() as session:
            return await take(session, f"holder {number}")

    fences = await asyncio.gather(*map(attempt, range(5)))
    async with ones[0].reading() as session:
        stands = (await session.execute(select(table(Lease)))).one()
    for one in ones:
        await one.close()
    assert [fence for fence in fences if fence is not None] == [1 + is_known]
    assert stands.fence == 1 + is_known
    assert fences[int(stands.holder.split()[1])] is not None
