"""What users asked for and their workers made, from the roll-ups."""

from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import table
from core.stats.tables import UserTotal

_users = table(UserTotal)


@dataclass(frozen=True, slots=True)
class UserTotals:
    """What a user asked for and the user's workers made, by kind."""

    requested: dict[str, int] = field(default_factory=dict)
    requested_things: dict[str, int] = field(default_factory=dict)
    fulfilled: dict[str, int] = field(default_factory=dict)
    fulfilled_things: dict[str, int] = field(default_factory=dict)


async def of_user(session: AsyncSession, user_id: int) -> UserTotals:
    """The user's totals, as of the last roll-up."""
    found = UserTotals()
    for row in await session.execute(select(_users).where(_users.c.user_id == user_id)):
        found.requested[row.kind] = row.requested
        found.requested_things[row.kind] = row.requested_things
        found.fulfilled[row.kind] = row.fulfilled
        found.fulfilled_things[row.kind] = row.fulfilled_things
    return found
