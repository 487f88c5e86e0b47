"""What is kept about a user, read from where it is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.accounts.tables import SignedIn
from core.db import AnyRow, table
from core.ledger.tables import Entry, Event
from core.queue.tables import Request
from core.users import roles, suspicion
from core.users.tables import User
from core.workers.tables import Worker

ENTRIES: Final = 1000
"""How many entries of the ledger one export has at most."""

_entries = table(Entry)
_events = table(Event)
_requests = table(Request)
_sessions = table(SignedIn)
_workers = table(Worker)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept about a user besides the registration; rows of the tables they are named for."""

    suspicions: dict[str, int]
    sessions: Sequence[datetime]
    workers: Sequence[AnyRow]
    requests: Sequence[AnyRow]
    entries: Sequence[AnyRow]
    """`id`, `at`, `kind`, `account_id`, `amount`; the latest first."""


class NotYours(roles.NotOwner):
    """Moderators don't see what only the user may see, either."""


async def read(
    session: AsyncSession, by: User, user: User, *, at: datetime, before: int | None
) -> Kept:
    """Read it all.

    before: only entries of the ledger with smaller ids; None: from the latest on.

    Raises NotYours, for moderators too, and AnonForbidden: everybody is the anonymous user.
    """
    roles.refuse_anonymous(by, "export an account")
    if by.id != user.id:
        raise NotYours("Only the user themselves may export an account.")
    started = select(_sessions.c.created_at).where(_sessions.c.user_id == user.id)
    workers = select(_workers).where(_workers.c.user_id == user.id).order_by(_workers.c.created_at)
    requests = (
        select(_requests).where(_requests.c.user_id == user.id).order_by(_requests.c.created_at)
    )
    return Kept(
        suspicions=await suspicion.reasons(session, user.id, at=at),
        sessions=(await session.scalars(started)).all(),
        workers=(await session.execute(workers)).all(),
        requests=(await session.execute(requests)).all(),
        entries=await _read_entries(session, user, before),
    )


async def _read_entries(session: AsyncSession, user: User, before: int | None) -> Sequence[AnyRow]:
    """By account, as its index has them: both together would be sorted by no index."""
    found: list[AnyRow] = []
    for account_id in (user.account_id, user.escrow_id):
        own = (
            select(_entries, _events.c.at, _events.c.kind)
            .join(_events, _events.c.id == _entries.c.event_id)
            .where(_entries.c.account_id == account_id)
        )
        if before is not None:
            own = own.where(_entries.c.id < before)
        found += await session.execute(own.order_by(_entries.c.id.desc()).limit(ENTRIES))
    return sorted(found, key=lambda row: row.id, reverse=True)[:ENTRIES]
