import asyncio
import json
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from core.db import now
from core.outbox import letters
from core.outbox.tables import LetterRow

AT = now()
URL = "https://Hooks.Example:8443/a?b=c"


async def put(session, count=1, url=URL, at=AT):
    for number in range(count):
        assert await letters.put(session, user_id=7, url=url, body={"number": number}, at=at)


async def claimed(session, at=AT, *, limit=100, per_host=100, busy=()):
    return await letters.claim(session, at=at, limit=limit, per_host=per_host, busy=busy)


async def left(session):
    return await session.scalar(select(func.count()).select_from(LetterRow))


async def test_a_letter_is_claimed_with_all_that_it_needs(session):
    assert not await letters.is_any_due(session, at=AT)
    await put(session)
    assert await letters.is_any_due(session, at=AT)
    (letter,) = await claimed(session)
    assert (letter.url, letter.host, letter.user_id) == (URL, "hooks.example", 7)
    assert (json.loads(letter.body), letter.tries) == ({"number": 0}, 1)
    assert not await letters.is_any_due(session, at=AT)


async def test_a_claimed_letter_is_nobody_elses_until_the_claim_ends(session):
    await put(session)
    assert len(await claimed(session)) == 1
    assert await claimed(session, AT + letters.CLAIM - timedelta(seconds=1)) == []
    (again,) = await claimed(session, AT + letters.CLAIM)
    assert again.tries == 2


async def test_one_host_gets_few_at_once_and_a_busy_one_none(session):
    await put(session, 5)
    await put(session, 5, "https://other.example/")
    await put(session, 5, "https://busy.example/")
    found = await claimed(session, per_host=2, busy={"busy.example"})
    assert sorted(letter.host for letter in found) == ["hooks.example"] * 2 + ["other.example"] * 2
    assert len(await claimed(session, limit=3)) == 3


async def test_the_oldest_go_first(session):
    await put(session, at=AT)
    await put(session, url="https://first.example/", at=AT - timedelta(minutes=1))
    (first,) = await claimed(session, limit=1)
    assert first.host == "first.example"


async def test_what_has_arrived_is_gone(session):
    await put(session)
    (letter,) = await claimed(session)
    await letters.end(session, letter.id)
    assert await left(session) == 0


async def test_three_quick_tries_then_ever_longer_pauses_then_none(session):
    await put(session)
    at, sent = AT, []
    while found := await claimed(session, at):
        sent.append((at - AT).total_seconds())
        await letters.again(session, found[0], at=at)
        at += letters.pause(found[0].tries)
    assert sent == [0, 3, 6, 36, 96, 216, 456, 936]
    assert await left(session) == 0


async def test_what_is_too_old_is_not_sent(session):
    await put(session)
    assert await claimed(session, AT + letters.LIFE) == []
    assert await left(session) == 0


async def test_for_one_host_only_so_much_waits(session, monkeypatch):
    monkeypatch.setattr(letters, "MAX_FOR_A_HOST", 3)
    await put(session, 3)
    assert not await letters.put(session, user_id=7, url=URL, body={}, at=AT)
    await put(session, 1, "https://other.example/")
    assert await left(session) == 4


async def test_what_is_rolled_back_is_not_sent(database):
    async def put_and_fail():
        async with database.writing() as session:
            await put(session)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await put_and_fail()
    async with database.reading() as session:
        assert await left(session) == 0


async def test_several_couriers_never_get_the_same_letter(database):
    async with database.writing() as session:
        await put(session, 40)

    async def courier():
        mine = []
        while True:
            async with database.writing() as session:
                found = await claimed(session, limit=3)
                await asyncio.sleep(0)
            if not found:
                return mine
            mine += [letter.id for letter in found]

    each = await asyncio.gather(*(courier() for _ in range(4)))
    taken = [letter for mine in each for letter in mine]
    assert len(taken) == len(set(taken))
    async with database.writing() as session:  # one that found all locked may have left early
        taken += [letter.id for letter in await claimed(session)]
    assert len(set(taken)) == len(taken) == 40
