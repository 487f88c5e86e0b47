"""Monthly kudos: what users are granted each calendar month, moderators more.

A user's cursor is the month that was granted last. It moves by whole calendar months, so that a
grant that comes late does not make the next one late, and each month is granted once: the month is
part of the event's key. It is on a day that every month has: a user who begins after the 28th gets
the next month on its 28th, and all later ones too.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import or_, select

from core.db import Writing, table
from core.ledger import accounts, events
from core.ledger.tables import SystemAccount
from core.users import directory, roles
from core.users.tables import Role, User, UserRow

LAST_DAY: Final = 28
"""The last day that every month has."""
MODERATOR: Final = 300_000_00
"""Hundredths of a kudos that a moderator is granted each month."""

_users = table(UserRow)


def amount_of(user: User) -> int:
    """What the user is granted each month in all, hundredths of a kudos."""
    if user.has(Role.DELETED) or user.is_anonymous:
        return 0
    return user.monthly_kudos + (MODERATOR if user.has(Role.MODERATOR) else 0)


async def pay_due(session: Writing, *, at: datetime, limit: int) -> int:
    """Grant a month to each user for whom one is due. Returns how many got one.

    A user with several months due gets the next one at the next call. Users are locked before their
    accounts, both in order.
    """
    before = month_before(at)
    held = _users.c.roles
    wanted = or_(_users.c.monthly_kudos > 0, held.bitwise_and(int(Role.MODERATOR)) != 0)
    due = or_(_users.c.monthly_received_at.is_(None), _users.c.monthly_received_at <= before)
    found = await session.execute(
        select(_users)
        .where(wanted, due, held.bitwise_and(int(Role.DELETED)) == 0)
        .order_by(_users.c.id)
        .limit(limit)
        .with_for_update(key_share=True)
    )
    users = []
    for row in found.mappings():
        received = row["monthly_received_at"]
        month = at if received is None else month_after(received)
        users.append(await directory.change(session, User(**row), monthly_received_at=month))
    await accounts.lock(session, {user.account_id for user in users})
    for user in users:
        await _grant(session, user, amount_of(user), key=f"month:{user.monthly_received_at}")
    return len(users)


async def change_by(session: Writing, user: User, change: int, *, key: str, at: datetime) -> User:
    """Change what the user is granted each month, never below 0; an increase is granted at once.

    change: hundredths of a kudos.
    key: names this change among all.

    The user's row is locked (`directory.locked`). Returns the changed user. Raises AnonForbidden.
    """
    roles.refuse_anonymous(user, "be granted monthly kudos")
    before, after = user.monthly_kudos, max(0, user.monthly_kudos + change)
    user = await entitle(session, user, at=at)
    user = await directory.change(session, user, monthly_kudos=after)
    if after > before:
        if user.monthly_received_at is None:
            user = await directory.change(session, user, monthly_received_at=at)
        await _grant(session, user, after - before, key=f"raise:{key}")
    return user


async def entitle(session: Writing, user: User, *, at: datetime) -> User:
    """Begin again for a user without monthly kudos so far: past months are not made up for.

    A month that was granted already is not granted again to a user who loses the claim and regains
    it.
    Returns the changed user.
    """
    received = user.monthly_received_at
    if amount_of(user) == 0 and received is not None and received <= month_before(at):
        user = await directory.change(session, user, monthly_received_at=None)
    return user


async def _grant(session: Writing, user: User, amount: int, *, key: str) -> None:
    await events.post(
        session,
        kind="monthly",
        key=f"monthly:{user.id}:{key}",
        entries={SystemAccount.GRANTS: -amount, user.account_id: amount},
    )


def month_after(moment: datetime) -> datetime:
    """The same day and time of the next month, at most its 28th."""
    return _months(moment, 1)


def month_before(moment: datetime) -> datetime:
    """The same day and time of the last month, at most its 28th."""
    return _months(moment, -1)


def _months(moment: datetime, count: int) -> datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 + count, 12)
    return moment.replace(year=year, month=month + 1, day=min(moment.day, LAST_DAY))
