"""Trust: users who have earned enough for long enough are trusted and get what was held back."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from core.db import Writing, table
from core.kudos import grants
from core.ledger.tables import Account, AccountKind
from core.users import directory, suspicion
from core.users.tables import Role, User, UserRow
from core.workers import conduct

MIN_AGE: Final = timedelta(days=7)
KEPT_FROM_TRUST: Final = Role.TRUSTED | Role.MODERATOR | Role.FLAGGED | Role.DELETED
"""Users who are trusted already, and users who never will be."""

_accounts = table(Account)
_users = table(UserRow)


async def promote_next(session: Writing, *, threshold: int, at: datetime) -> User | None:
    """Trust one user whose escrow is above the threshold; None if there is nobody.

    threshold: hundredths of a kudos. The user is at least 7 days old and not suspicious. One at a
        time, since the accounts of several would have to be locked at once.
    """
    candidates = list(
        await session.scalars(
            select(_users.c.id)
            .join(_accounts, _accounts.c.id == _users.c.escrow_id)
            .where(
                _accounts.c.kind == AccountKind.ESCROW,
                _accounts.c.balance > threshold,
                _users.c.created_at <= at - MIN_AGE,
                _users.c.roles.bitwise_and(int(KEPT_FROM_TRUST)) == 0,
            )
            .order_by(_users.c.id)
        )
    )
    suspicions = await suspicion.counts(session, candidates, at=at)
    for user_id in candidates:
        if suspicions.get(user_id, 0) < suspicion.SUSPICIOUS:
            user = await directory.locked(session, user_id)
            if not user.roles & KEPT_FROM_TRUST:
                return await promote(session, user, at=at)
    return None


async def promote(session: Writing, user: User, *, at: datetime) -> User:
    """Trust a user whose row is locked: resume paused workers and make the escrow spendable.

    Returns the changed user. Raises AnonForbidden.
    """
    user = await directory.set_roles(session, user, grant=Role.TRUSTED)
    await conduct.resume(session, user.id)
    await grants.drain_escrow(session, user, at=at)
    return user
