"""Sums for the status pages and the users' records."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import table
from core.queue.tables import Attempt, Job, JobState, Outcome, Request
from core.stats.tables import UserTotal

_attempts = table(Attempt)
_jobs = table(Job)
_requests = table(Request)
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
