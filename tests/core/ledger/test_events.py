import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

import factories
from core.db import table
from core.ledger import accounts, events, holds
from core.ledger.tables import Entry, Event, SystemAccount


async def count(session, model):
    return await session.scalar(select(func.count()).select_from(table(model)))


async def available(session, account):
    return (await accounts.lock(session, {account}))[account]


async def test_an_event_moves_kudos_between_accounts(session):
    giver = (await factories.account_pair(session, available=500)).spendable
    taker = (await factories.account_pair(session)).spendable

    assert await events.post(session, kind="gift", key="a", entries={giver: -120, taker: 120})

    assert await accounts.balance(session, giver) == 380
    assert await accounts.balance(session, taker) == 120


async def test_a_key_counts_once(session):
    giver = (await factories.account_pair(session, available=500)).spendable
    taker = (await factories.account_pair(session)).spendable
    await events.post(session, kind="gift", key="a", entries={giver: -120, taker: 120})
    written = await count(session, Event), await count(session, Entry)

    assert not await events.post(session, kind="gift", key="a", entries={giver: -200, taker: 200})

    assert await accounts.balance(session, giver) == 380
    assert (await count(session, Event), await count(session, Entry)) == written


async def test_entries_must_sum_to_zero(session):
    taker = (await factories.account_pair(session)).spendable
    with pytest.raises(events.UnbalancedEvent):
        await events.post(
            session, kind="gift", key="a", entries={SystemAccount.GRANTS: -100, taker: 101}
        )


async def test_nobody_spends_the_floor(database):
    async with database.writing() as session:
        poor = (await factories.account_pair(session, available=10, floor=1400)).spendable
        rich = (await factories.account_pair(session)).spendable
        before = await count(session, Event)
    with pytest.raises(events.InsufficientKudos):
        async with database.writing() as session:
            await events.post(session, kind="gift", key="a", entries={poor: -11, rich: 11})
    async with database.writing() as session:
        assert await count(session, Event) == before
        assert await accounts.balance(session, poor) == 1410
        assert await events.post(session, kind="gift", key="a", entries={poor: -10, rich: 10})


async def test_nobody_spends_what_is_held(database):
    async with database.writing() as session:
        poor = (await factories.account_pair(session, available=100)).spendable
        rich = (await factories.account_pair(session)).spendable
        await factories.hold(session, key="h", account_id=poor, amount=60)
    with pytest.raises(events.InsufficientKudos):
        async with database.writing() as session:
            await events.post(session, kind="gift", key="a", entries={poor: -41, rich: 41})


async def test_what_was_captured_is_held_no_longer(session):
    payer = (await factories.account_pair(session, available=100)).spendable
    await factories.hold(session, key="h", account_id=payer, amount=60)
    entries = {payer: -50, SystemAccount.TAX: 50}
    assert await holds.locked(session, key="h") == 60
    assert await events.write(session, kind="image", key="a", entries=entries)
    await holds.take(session, key="h", amount=50)
    await events.move(session, entries, freed={payer: 50})
    assert await accounts.balance(session, payer) == 50
    assert await available(session, payer) == 40  # 10 are held still


async def test_system_accounts_have_no_row_to_update(session):
    before = await accounts.balance(session, SystemAccount.TAX)
    await events.post(
        session,
        kind="tax",
        key="a",
        entries={SystemAccount.ANONYMOUS: -300, SystemAccount.TAX: 300},
    )
    assert await accounts.balance(session, SystemAccount.TAX) == before + 300
    assert await accounts.balance(session, SystemAccount.ANONYMOUS) == -300


async def test_entries_of_nothing_are_dropped(session):
    taker = (await factories.account_pair(session)).spendable
    before = await count(session, Entry)
    assert await events.post(
        session, kind="gift", key="a", entries={SystemAccount.GRANTS: 0, taker: 0}
    )
    assert await count(session, Entry) == before


async def test_an_account_that_does_not_exist_is_a_defect(database):
    with pytest.raises(IntegrityError):
        async with database.writing() as session:
            await events.post(
                session, kind="gift", key="a", entries={SystemAccount.GRANTS: -1, 10**6: 1}
            )
