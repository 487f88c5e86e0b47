"""Uses of styles: recorded where a styled request's first result is settled, counted later.

A settlement only adds a row, so that the row of a popular style and its owner's account are not
contended by everybody who uses it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update

from core import dialects
from core.db import Writing, table
from core.stats.tables import StyleUse

KEPT = timedelta(days=7)
"""Longer than any request lives: its further results must find that its use is counted."""

_uses = table(StyleUse)


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A request's use of a style."""

    request_id: UUID
    style_id: UUID
    collection_id: UUID | None
    """The collection that the style was drawn from."""
    account_id: int | None
    """Its owner's, None if the owner asked."""


async def add(
    session: Writing, request_id: UUID, style: Mapping[str, Any], *, at: datetime
) -> None:
    """Record that the request used a style, unless that is recorded already.

    style: its `style_id`, the `collection_id` that it was drawn from or None, and the `account_id`
        of its owner, None if the owner asked.
    """
    await session.execute(
        dialects.insert(session, _uses)
        .values(request_id=request_id, at=at, **style)
        .on_conflict_do_nothing(index_elements=[_uses.c.request_id])
    )


async def take(session: Writing, *, limit: int) -> list[Use]:
    """Take the uses that are not counted yet, the oldest first, and mark them as counted."""
    waiting = (
        select(_uses.c.request_id)
        .where(_uses.c.counted.is_(False))
        .order_by(_uses.c.at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = await session.execute(
        update(_uses)
        .where(_uses.c.request_id.in_(dialects.once(waiting)))
        .values(counted=True)
        .returning(_uses.c.request_id, _uses.c.style_id, _uses.c.collection_id, _uses.c.account_id)
    )
    return [Use(**row) for row in taken.mappings()]


async def forget(session: Writing, *, at: datetime, limit: int) -> int:
    """Delete counted uses whose requests are over. Returns how many."""
    old = (
        select(_uses.c.request_id)
        .where(_uses.c.at < at - KEPT, _uses.c.counted.is_(True))
        .limit(limit)
    )
    gone = await session.execute(
        delete(_uses).where(_uses.c.request_id.in_(old)).returning(_uses.c.request_id)
    )
    return len(gone.all())
