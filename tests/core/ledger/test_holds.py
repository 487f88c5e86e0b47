import pytest
from sqlalchemy import select

import factories
from core.db import table
from core.ledger import accounts, holds
from core.ledger.tables import Hold


@pytest.fixture
async def account(session):
    return (await factories.account_pair(session, floor=1400, available=500)).spendable


async def available(session, account):
    return (await accounts.lock(session, {account}))[account]


async def partly(session, account, key, amount):
    return await factories.hold(session, key=key, account_id=account, amount=amount, partly=True)


async def rows(session):
    held = table(Hold)
    return dict((await session.execute(select(held.c.key, held.c.amount))).all())


async def test_a_hold_sets_kudos_aside(session, account):
    assert await factories.hold(session, key="h", account_id=account, amount=500) == 500
    assert await available(session, account) == 0
    assert await accounts.balance(session, account) == 1900
    assert await rows(session) == {"h": 500}


async def test_a_hold_is_refused_where_the_account_does_not_cover_it(session, account):
    assert await factories.hold(session, key="h", account_id=account, amount=501) is None
    assert await available(session, account) == 500
    assert await rows(session) == {}


async def test_a_partial_hold_takes_what_is_there(session, account):
    assert await partly(session, account, "h", 900) == 500
    assert await partly(session, account, "i", 1) == 0
    assert await rows(session) == {"h": 500, "i": 0}


async def test_a_partial_hold_takes_no_more_than_asked(session, account):
    assert await partly(session, account, "h", 200) == 200
    assert await available(session, account) == 300


async def test_what_is_taken_of_a_hold_is_in_it_no_more(session, account):
    await factories.hold(session, key="h", account_id=account, amount=300)
    await holds.take(session, key="h", amount=120)
    assert await holds.locked(session, key="h") == 180
    assert await holds.end(session, key="h") == 180
    assert await rows(session) == {}


async def test_a_release_gives_back_what_is_left(session, account):
    await factories.hold(session, key="h", account_id=account, amount=300)
    assert await factories.release(session, "h") == 300
    assert await available(session, account) == 500
    assert await rows(session) == {}
    assert await factories.release(session, "h") == 0
    assert await available(session, account) == 500


async def test_many_holds_are_released_at_once(session, account):
    other = (await factories.account_pair(session, available=50)).spendable
    await factories.hold(session, key="h", account_id=account, amount=300)
    await factories.hold(session, key="i", account_id=account, amount=100)
    await factories.hold(session, key="j", account_id=other, amount=50)
    await factories.hold(session, key="kept", account_id=account, amount=7)
    assert await holds.release(session, keys=["j", "h", "none", "i"]) == 450
    assert await available(session, account) == 493
    assert await available(session, other) == 50
    assert await rows(session) == {"kept": 7}
    assert await holds.release(session, keys=[]) == 0
