"""Forgetting sessions, login attempts and codes that are over."""

from datetime import datetime

from sqlalchemy import delete, select

from core.accounts.tables import LoginAttempt, LoginCode, SignedIn
from core.db import Writing, table

_TABLES = tuple(table(model) for model in (SignedIn, LoginAttempt, LoginCode))


async def forget(session: Writing, *, at: datetime, limit: int) -> bool:
    """Delete up to `limit` rows of each kind that expired. Whether there may be more."""
    more = False
    for each in _TABLES:
        (key,) = each.primary_key.columns
        due = select(key).where(each.c.expires_at <= at).limit(limit).scalar_subquery()
        gone = await session.execute(delete(each).where(key.in_(due)).returning(key))
        more |= len(gone.all()) == limit
    return more
