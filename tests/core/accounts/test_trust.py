"""Who is trusted by themselves: enough kept back, old enough, not suspicious."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

import factories
from core.accounts import trust
from core.db import now, table
from core.ledger import accounts
from core.users import directory, suspicion
from core.users.tables import Reason, Role, UserRow
from core.workers import fleet
from core.workers.tables import WorkerRow

AT = now()
OLD = AT - trust.MIN_AGE
users, workers = table(UserRow), table(WorkerRow)


@pytest.fixture
def database_url(sqlite_url):
    """One engine: the step of upkeep runs on both."""
    return sqlite_url


@pytest.fixture
def earned(session):
    """Somebody who has so much in escrow, and registered then."""

    async def make(amount, *, since=OLD, **properties):
        user, _ = await factories.user(session, **properties)
        await factories.give(session, user.escrow_id, amount)
        await session.execute(update(users).where(users.c.id == user.id).values(created_at=since))
        return user

    return make


async def promote(session):
    return await trust.promote_next(session, threshold=1000, at=AT)


async def test_the_escrow_becomes_spendable_and_workers_real(session, earned):
    user = await earned(1001)
    await fleet.check_in(session, user, factories.declared(), at=AT)
    await session.execute(update(workers).values(paused=True))
    promoted = await promote(session)
    assert (promoted.id, promoted.has(Role.TRUSTED)) == (user.id, True)
    assert (await directory.by_id(session, user.id)).has(Role.TRUSTED)
    assert (await accounts.funds(session, user.account_id)).available == 1001
    assert await accounts.balance(session, user.escrow_id) == 0
    assert list(await session.scalars(select(workers.c.paused))) == [False]
    assert await promote(session) is None


@pytest.mark.parametrize(
    ("amount", "since", "roles"),
    [
        (1000, OLD, Role(0)),
        (1001, OLD + timedelta(seconds=1), Role(0)),
        (1001, OLD, Role.FLAGGED),
        (1001, OLD, Role.DELETED),
        (1001, OLD, Role.MODERATOR),
    ],
    ids=["too little", "too new", "flagged", "deleted", "trusted already"],
)
async def test_others_are_not(session, earned, amount, since, roles):
    await earned(amount, since=since, roles=int(roles))
    assert await promote(session) is None


async def test_the_suspicious_wait_and_let_others_pass(session, earned):
    suspect, other = await earned(2000), await earned(1001)
    for _ in range(suspicion.SUSPICIOUS):
        await suspicion.suspect(session, suspect.id, Reason.UNREASONABLY_FAST, at=AT)
    assert (await promote(session)).id == other.id
    assert await promote(session) is None
    later = AT + suspicion.FORGIVEN_AFTER
    assert (await trust.promote_next(session, threshold=1000, at=later)).id == suspect.id
