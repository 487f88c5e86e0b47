"""Leases: which process has a duty, until when, and by a fencing number since when."""

from datetime import datetime, timedelta

from sqlalchemy import or_, update

from core import dialects
from core.db import Writing, table
from core.upkeep.tables import Lease

_leases = table(Lease)


async def take(
    session: Writing, duty: str, holder: str, *, at: datetime, length: timedelta
) -> int | None:
    """Take or renew the duty's lease. Returns its fencing number, or None if it is taken.

    It grows with each new holder: a process that finds another number has lost the lease.
    """
    await session.execute(
        dialects.insert(session, _leases)
        .values(duty=duty, holder="", until=at - length, fence=0)
        .on_conflict_do_nothing(index_elements=[_leases.c.duty])
    )
    is_ours = _leases.c.holder == holder
    renewed = await session.scalar(
        update(_leases)
        .where(_leases.c.duty == duty, is_ours, _leases.c.until > at)
        .values(until=at + length)
        .returning(_leases.c.fence)
    )
    if renewed is not None:
        return int(renewed)
    taken = await session.scalar(
        update(_leases)
        .where(_leases.c.duty == duty, or_(_leases.c.until <= at, is_ours))
        .values(holder=holder, until=at + length, fence=_leases.c.fence + 1)
        .returning(_leases.c.fence)
    )
    return None if taken is None else int(taken)


async def still_held(session: Writing, duty: str, holder: str, fence: int) -> bool:
    """Whether the lease is still ours; it is locked for the transaction, so that it stays ours."""
    held = await session.scalar(
        update(_leases)
        .where(_leases.c.duty == duty, _leases.c.holder == holder, _leases.c.fence == fence)
        .values(fence=fence)
        .returning(_leases.c.fence)
    )
    return held is not None


async def give_up(session: Writing, duty: str, holder: str, *, at: datetime) -> None:
    """Give up the lease, so that another process need not wait for its end."""
    await session.execute(
        update(_leases).where(_leases.c.duty == duty, _leases.c.holder == holder).values(until=at)
    )
