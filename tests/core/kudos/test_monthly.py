"""Monthly kudos: a calendar month after another, each once."""

from datetime import UTC, datetime, timedelta

import pytest

import factories
from core.db import now
from core.kudos import monthly
from core.ledger import accounts
from core.users import directory, roles
from core.users.tables import Role

AT = now()


@pytest.fixture
def database_url(sqlite_url):
    """One engine: the steps of upkeep run on both."""
    return sqlite_url


async def granted(session, amount=100, **properties):
    user, _ = await factories.user(session, **properties)
    if amount:
        user = await monthly.change_by(session, user, amount, key="first", at=AT)
    return user


async def available(session, user):
    return (await accounts.funds(session, user.account_id)).available


async def pay(session, *, days, times=1):
    return [
        await monthly.pay_due(session, at=AT + timedelta(days=days), limit=10) for _ in range(times)
    ]


async def test_a_raise_is_granted_at_once_and_a_cut_takes_nothing(session):
    user = await granted(session, 100)
    user = await monthly.change_by(session, user, 50, key="more", at=AT)
    user = await monthly.change_by(session, user, -70, key="less", at=AT)
    user = await monthly.change_by(session, user, -1000, key="nothing", at=AT)
    assert (await available(session, user), user.monthly_kudos) == (150, 0)
    assert await pay(session, days=40) == [0]


async def test_each_month_is_granted_once(session):
    user = await granted(session, 100)
    assert await pay(session, days=24) == [0]
    assert await pay(session, days=31, times=2) == [1, 0]
    assert await available(session, user) == 200
    assert (await directory.by_id(session, user.id)).monthly_received_at == monthly.month_after(AT)


async def test_months_that_were_missed_are_made_up(session):
    user = await granted(session, 100)
    assert await pay(session, days=93, times=5) == [1, 1, 1, 0, 0]
    assert await available(session, user) == 400


async def test_moderators_get_more(session):
    user = await granted(session, 0, roles=int(Role.MODERATOR))
    assert await pay(session, days=0, times=2) == [1, 0]
    assert await available(session, user) == monthly.MODERATOR


async def test_who_regains_a_claim_gets_no_month_twice_and_none_without_it(session):
    user = await granted(session, 100)
    user = await monthly.change_by(session, user, -100, key="lost", at=AT)
    user = await monthly.entitle(session, user, at=AT + timedelta(days=1))
    assert user.monthly_received_at == AT
    user = await monthly.entitle(session, user, at=AT + timedelta(days=93))
    await directory.set_roles(session, user, grant=Role.MODERATOR)
    assert await pay(session, days=93, times=2) == [1, 0]
    assert await available(session, user) == 100 + monthly.MODERATOR


async def test_the_deleted_and_the_anonymous_get_nothing(session):
    user = await granted(session, 100)
    await directory.set_roles(session, user, grant=Role.DELETED)
    assert await pay(session, days=40) == [0]
    anonymous = await directory.by_id(session, 0)
    with pytest.raises(roles.AnonForbidden):
        await monthly.change_by(session, anonymous, 100, key="x", at=AT)


@pytest.mark.parametrize(
    ("moment", "after"),
    [
        ("2026-01-15", "2026-02-15"),
        ("2026-01-31", "2026-02-28"),
        ("2026-07-30", "2026-08-28"),
        ("2026-12-28", "2027-01-28"),
    ],
)
def test_a_month_later(moment, after):
    first, second = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (moment, after))
    assert monthly.month_after(first) == second
    assert monthly.month_before(second) <= first


def test_months_do_not_drift():
    moment = datetime(2026, 1, 31, tzinfo=UTC)
    days = []
    for _ in range(14):
        moment = monthly.month_after(moment)
        days.append(moment.day)
    assert set(days) == {28}
