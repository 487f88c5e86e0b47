"""Sums over the queue, for the status pages and the roll-ups."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import AnyRow, table
from core.queue.tables import Attempt, Job, JobState, Outcome, Request

SPEED_SAMPLES = 20

_attempts = table(Attempt)
_jobs = table(Job)
_requests = table(Request)


@dataclass(frozen=True, slots=True)
class Queued:
    """Jobs that wait or are worked on, and their size, by kind."""

    jobs: dict[str, int]
    things: dict[str, int]


async def queued(session: AsyncSession) -> Queued:
    """What is in the queue."""
    rows = (
        await session.execute(
            select(
                _requests.c.kind,
                func.count().label("jobs"),
                func.sum(_jobs.c.things).label("things"),
            )
            .join(_requests, _requests.c.id == _jobs.c.request_id)
            .where(_jobs.c.state.in_((JobState.WAITING, JobState.PROCESSING)))
            .group_by(_requests.c.kind)
        )
    ).all()
    return Queued({row.kind: row.jobs for row in rows}, {row.kind: int(row.things) for row in rows})


async def past_minute(session: AsyncSession, *, at: datetime) -> dict[str, int]:
    """Things made within the last 60 s, by kind."""
    rows = await session.execute(
        select(_attempts.c.kind, func.sum(_attempts.c.things).label("things"))
        .where(
            _attempts.c.ended_at > at - timedelta(seconds=60), _attempts.c.outcome == Outcome.DONE
        )
        .group_by(_attempts.c.kind)
    )
    return {row.kind: int(row.things) for row in rows}


async def take_uncounted(session: AsyncSession, limit: int) -> Sequence[AnyRow]:
    """Attempts that ended and are in no roll-up yet; from this transaction on they are."""
    uncounted = (
        select(_attempts.c.id)
        .where(
            _attempts.c.counted.is_(False),
            _attempts.c.outcome.not_in((Outcome.ALIVE, Outcome.DECOY)),
        )
        .order_by(_attempts.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    statement = (
        update(_attempts)
        .where(_attempts.c.id.in_(uncounted))
        .values(counted=True)
        .returning(*_attempts.c)
    )
    counted: Sequence[AnyRow] = (await session.execute(statement)).all()
    return counted


async def speed_of(session: AsyncSession, worker_id: UUID) -> float | None:
    """Things a second over the worker's last 20 jobs, or None before the first."""
    last = (
        await session.execute(
            select(_attempts.c.things, _attempts.c.started_at, _attempts.c.ended_at)
            .where(
                _attempts.c.worker_id == worker_id,
                _attempts.c.ended_at.is_not(None),
                _attempts.c.outcome == Outcome.DONE,
            )
            .order_by(_attempts.c.ended_at.desc())
            .limit(SPEED_SAMPLES)
        )
    ).all()
    seconds = sum((row.ended_at - row.started_at).total_seconds() for row in last)
    return sum(row.things for row in last) / max(seconds, 0.001) if last else None


async def delete_attempts(session: AsyncSession, *, before: datetime, limit: int) -> int:
    """Delete counted attempts that ended long ago. How many."""
    old = (
        select(_attempts.c.id)
        .where(_attempts.c.ended_at < before, _attempts.c.counted.is_(True))
        .limit(limit)
    )
    gone = await session.execute(
        _attempts.delete().where(_attempts.c.id.in_(old)).returning(_attempts.c.id)
    )
    return len(gone.all())
