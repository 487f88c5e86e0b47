from datetime import timedelta

import pytest
from sqlalchemy import delete, func, insert, select, update

import factories
from core.db import now, table
from core.kudos import settlement
from core.ledger import accounts, audit
from core.ledger.tables import Account, Checkpoint, Entry, Event, Hold, SystemAccount


@pytest.fixture
async def payer(session):
    """Somebody with 2000 kudos, 300 of them held, who has paid 100 of tax."""
    payer = (await factories.account_pair(session, floor=1400, available=700)).spendable
    await settlement.charge_tax(session, key="t", payer_account=payer, amount=100)
    await factories.hold(session, key="h", account_id=payer, amount=300)
    return payer


async def test_an_empty_ledger_is_sound(session):
    said = await audit.audit(session)
    assert said.balanced
    assert (said.accounts, said.events, said.supply) == (0, 0, 0)


async def test_a_ledger_in_use_is_sound_and_counted(session, payer):
    said = await audit.audit(session)
    assert said == audit.Audit(
        entries_sum=0,
        unbalanced_events=0,
        drifted_accounts=0,
        holds_drift=0,
        wrong_checkpoints=0,
        accounts=2,
        events=3,
        entries=6,
        supply=2000,
        held=300,
        system={
            **dict.fromkeys(SystemAccount, 0),
            SystemAccount.FLOORS: -1400,
            SystemAccount.GRANTS: -700,
            SystemAccount.TAX: 100,
        },
    )
    assert said.balanced
    assert said.supply + sum(said.system.values()) == 0
    assert type(said.entries_sum) is int


first_entry = select(func.min(table(Entry).c.id)).scalar_subquery()
tamperings = {
    "a balance": (
        update(table(Account)).where(table(Account).c.balance > 0).values(balance=9999),
        {"drifted_accounts": 1},
    ),
    "an entry's amount": (
        update(table(Entry)).where(table(Entry).c.id == first_entry).values(amount=-1300),
        {"entries_sum": 100, "unbalanced_events": 1},
    ),
    "an entry's absence": (
        delete(table(Entry)).where(table(Entry).c.amount == 1400),
        {"entries_sum": -1400, "unbalanced_events": 1, "drifted_accounts": 1},
    ),
    "an entry's account": (
        update(table(Entry)).where(table(Entry).c.amount == 1400).values(account_id=7),
        {"drifted_accounts": 1},
    ),
    "a hold's amount": (update(table(Hold)).values(amount=299), {"holds_drift": 1}),
    "a hold's absence": (delete(table(Hold)), {"holds_drift": 1}),
    "what an account holds": (
        update(table(Account)).where(table(Account).c.held > 0).values(held=301),
        {"holds_drift": 1},
    ),
    "a checkpoint": (
        insert(table(Checkpoint)).values(account_id=4, last_entry_id=10**6, balance=-701, at=now()),
        {"wrong_checkpoints": 1},
    ),
}


@pytest.mark.parametrize("what", tamperings)
async def test_tampering_is_found(session, payer, what):
    statement, expected = tamperings[what]
    await session.execute(statement)
    said = await audit.audit(session)
    assert not said.balanced
    found = {
        name: getattr(said, name)
        for name in (
            "entries_sum",
            "unbalanced_events",
            "drifted_accounts",
            "holds_drift",
            "wrong_checkpoints",
        )
    }
    assert found == dict.fromkeys(found, 0) | expected


async def checkpoints(session):
    columns = table(Checkpoint).c
    found = await session.execute(select(columns.account_id, columns.balance))
    return dict(found.all()) if found else {}


async def test_a_checkpoint_leaves_recent_entries_to_the_sum(session, payer):
    await session.execute(update(table(Event)).values(at=now() - timedelta(days=1)))
    await settlement.charge_tax(session, key="recent", payer_account=payer, amount=100)
    await audit.checkpoint(session)
    assert (await checkpoints(session))[SystemAccount.TAX] == 100
    assert await accounts.balance(session, SystemAccount.TAX) == 200
    assert (await factories.system_balances(session))[SystemAccount.GRANTS] == -700
    assert (await audit.audit(session)).balanced


async def test_a_sum_starts_at_the_checkpoint(session, payer):
    """What it stands for is not read again: changed entries go unnoticed, but for the audit."""
    await session.execute(update(table(Event)).values(at=now() - timedelta(days=1)))
    await audit.checkpoint(session)
    entries = table(Entry)
    await session.execute(
        update(entries).where(entries.c.account_id == SystemAccount.TAX).values(amount=1)
    )
    assert await accounts.balance(session, SystemAccount.TAX) == 100
    assert (await audit.audit(session)).wrong_checkpoints == 1


async def test_a_checkpoint_repeated_writes_nothing(session, payer):
    await session.execute(update(table(Event)).values(at=now() - timedelta(days=1)))
    await audit.checkpoint(session)
    written = await session.scalar(select(func.count()).select_from(table(Checkpoint)))
    await audit.checkpoint(session)
    again = await session.scalar(select(func.count()).select_from(table(Checkpoint)))
    assert written == again == len(SystemAccount)


async def test_there_is_no_checkpoint_of_what_may_still_change(session, payer):
    await audit.checkpoint(session)
    assert await checkpoints(session) == {}
