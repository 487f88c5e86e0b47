"""The end of a request's life: its rows are deleted, and its pictures are named."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Table, delete, select, true, update

from core.db import Writing, table
from core.queue.tables import AttemptRow, Job, Outcome, RequestRow

GRACE = timedelta(minutes=1)
"""An expired request is gone for everybody; its rows follow when nobody uses them."""

_requests = table(RequestRow)
_jobs = table(Job)
_attempts = table(AttemptRow)


class Expired(NamedTuple):
    """A deleted request, and the names of its pictures."""

    request_id: UUID
    kind: str
    params: dict[str, Any]
    attempt_ids: list[UUID]


async def delete_expired(session: Writing, *, at: datetime, limit: int) -> list[Expired]:
    """Delete expired requests, with their jobs, prompts and results.

    Attempts stay, for statistics; those still alive are ended. Requests that are in use are left
    for the next time.
    """
    expired = (
        select(_requests.c.id)
        .where(_requests.c.expires_at <= at - GRACE)
        .order_by(_requests.c.expires_at)
        .limit(limit)
    )
    ids: Sequence[UUID] = (await session.scalars(expired)).all()
    alive = _attempts.c.outcome == Outcome.ALIVE
    ids = await _wholly_locked(session, _attempts, alive, ids)
    ids = await _wholly_locked(session, _jobs, true(), ids)
    ours = (
        select(_requests.c.id, _requests.c.kind, _requests.c.params)
        .where(_requests.c.id.in_(ids), _requests.c.expires_at <= at - GRACE)
        .with_for_update(skip_locked=True)
    )
    gone = {row.id: row for row in await session.execute(ours)}
    ids = list(gone)
    await session.execute(
        update(_attempts)
        .where(_attempts.c.request_id.in_(ids), alive)
        .values(outcome=Outcome.ABORTED, ended_at=at)
    )
    attempts: dict[UUID, list[UUID]] = {request_id: [] for request_id in ids}
    for row in await session.execute(
        select(_attempts.c.request_id, _attempts.c.id).where(_attempts.c.request_id.in_(ids))
    ):
        attempts[row.request_id].append(row.id)
    await session.execute(delete(_requests).where(_requests.c.id.in_(ids)))
    return [Expired(i, row.kind, row.params, attempts[i]) for i, row in gone.items()]


async def _wholly_locked(
    session: Writing, rows: Table, which: ColumnElement[bool], ids: Sequence[UUID]
) -> list[UUID]:
    """Lock these rows of the requests. Returns the requests of which nobody else has one locked.

    Deleting waits for nobody: the holder of an attempt or a job may be about to lock its request.
    """
    there = select(rows.c.request_id).where(rows.c.request_id.in_(ids), which)
    all_ = Counter(await session.scalars(there))
    ours = Counter(await session.scalars(there.with_for_update(skip_locked=True)))
    return [request_id for request_id in ids if all_[request_id] == ours[request_id]]
