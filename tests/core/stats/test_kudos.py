"""The roll-up of the ledger: every entry once, the newest ones too, and in the right place."""

import asyncio
import itertools
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

import factories
from core.db import Database, now
from core.ledger import events
from core.ledger.tables import Event, SystemAccount
from core.stats import kudos, records
from core.stats.kudos import Flow
from core.stats.tables import KudosCounted, KudosTotal

NUMBERS = itertools.count(1)
LATER = timedelta(hours=1)


async def move(session, account, amount, kind="settlement"):
    entries = {account: amount, SystemAccount.TAX: -amount}
    await events.post(session, kind=kind, key=f"move:{next(NUMBERS)}", entries=entries)


async def count(session, *, limit=100, later=LATER):
    return await kudos.count(session, at=now() + later, limit=limit)


async def flow(session, account, kind="settlement"):
    return (await kudos.flows(session, [account]))[account][kind]


@pytest.fixture
async def account(session):
    return (await factories.account_pair(session, available=1000)).spendable


async def test_gains_and_losses_apart(session, account):
    for amount in (100, 50, -30):
        await move(session, account, amount)
    assert await flow(session, account) == Flow(150, -30, 2)
    assert await count(session) > 0
    assert await flow(session, account) == Flow(150, -30, 2)


async def test_what_is_young_is_not_counted_and_yet_shown(session, account):
    assert await count(session, later=timedelta(minutes=9)) == 0
    await move(session, account, 100)
    assert await flow(session, account) == Flow(100, 0, 1)
    assert await session.scalar(select(func.count()).select_from(KudosTotal)) == 0


async def test_counting_stops_before_the_first_young_entry(session, account):
    """What comes after it may be older by its event, but an id between them may be missing."""
    await move(session, account, 1)
    await move(session, account, 10)
    newest = select(func.max(Event.id)).scalar_subquery()
    await session.execute(
        update(Event).where(Event.id < newest - 1).values(at=now() - 2 * kudos.SETTLED_AFTER)
    )
    await session.execute(
        update(Event).where(Event.id == newest).values(at=now() - 2 * kudos.SETTLED_AFTER)
    )
    await count(session, later=timedelta(0))
    counted = select(KudosTotal.gained).where(
        KudosTotal.account_id == account, KudosTotal.kind == "settlement"
    )
    assert await session.scalar(counted) is None
    assert await flow(session, account) == Flow(11, 0, 2)


async def test_any_batches_give_the_same(session, account):
    for amount in (100, -30, 7):
        await move(session, account, amount)
    before = await kudos.flows(session, [account, SystemAccount.TAX])
    while await count(session, limit=1):
        assert await kudos.flows(session, [account, SystemAccount.TAX]) == before
    last = await session.scalar(select(KudosCounted.last_entry_id))
    assert last == await session.scalar(select(func.max(events._entries.c.id)))


async def test_once_also_where_processes_count_at_the_same_time(database_url):
    processes = [Database(database_url) for _ in range(3)]
    async with processes[0].writing() as session:
        account = (await factories.account_pair(session)).spendable
        for _ in range(10):
            await move(session, account, 5)

    async def run(process):
        more = True
        while more:
            async with process.writing() as session:
                more = await count(session, limit=2)

    try:
        await asyncio.gather(*map(run, processes))
        async with processes[0].reading() as session:
            assert await flow(session, account) == Flow(50, 0, 10)
    finally:
        for process in processes:
            await process.close()


async def test_kudos_details_by_kind_of_event(session):
    person, _ = await factories.user(session)
    for kind, amount in {
        "settlement": 300,
        "tax": -100,
        "uptime": 50,
        "transfer": 70,
        "grant": 11,
        "monthly": 12,
        "award": 13,
        "style": 14,
    }.items():
        await move(session, person.account_id, amount, kind)
    await move(session, person.account_id, -20, "transfer")
    await move(session, person.account_id, -5, "donation")
    details = (await records.kudos_details(session, [person]))[person.id]
    assert details == records.KudosDetails(
        accumulated=250,
        gifted=-20,
        donated=-5,
        received=70,
        admin=11,
        recurring=12,
        awarded=13,
        styled=14,
    )


async def test_the_floor_of_a_new_account_is_nobodys_doing(session):
    person, _ = await factories.user(session)
    assert await records.kudos_details(session, [person]) == {person.id: records.KudosDetails()}
