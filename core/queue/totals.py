"""Sums over the queue, for the status pages and the roll-ups."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import fields
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Select, func, select, update

from core import dialects
from core.db import Reading, Writing, table
from core.queue.lanes import Lanes
from core.queue.rows import EndedAttempt
from core.queue.tables import ALIVE, WAITING, AttemptRow, Job, Outcome, RequestRow
from core.queue.waiting import WaitingCounts

_attempts = table(AttemptRow)
_jobs = table(Job)
_requests = table(RequestRow)


class Load(NamedTuple):
    """How many jobs, and their size in things."""

    jobs: int = 0
    things: int = 0


async def queued(session: Reading, lanes: Lanes, counts: WaitingCounts) -> defaultdict[str, Load]:
    """Jobs that wait or are worked on, by kind.

    Waiting jobs are known by lane, at most some seconds old; a deep queue is not counted again.
    Lanes whose kind this process does not know are looked up job by job.
    """
    await lanes.update(session)
    await counts.refresh(session, lanes)
    needs = lanes.least_needs()
    loads: defaultdict[str, Load] = defaultdict(Load)
    for lane_id, jobs in counts.jobs.items():
        if lane_id in needs:
            _add(loads, needs[lane_id].kind, jobs, counts.things[lane_id])
    unknown = counts.jobs.keys() - needs.keys()
    for statement in (_in_work(), *([_waiting_in(unknown)] if unknown else [])):
        for row in await session.execute(statement):
            _add(loads, row.kind, row.jobs, int(row.things))
    return loads


def _add(loads: dict[str, Load], kind: str, jobs: int, things: int) -> None:
    had = loads[kind]
    loads[kind] = Load(had.jobs + jobs, had.things + things)


def _in_work() -> Select[tuple[str, int, int]]:
    return (
        select(
            _attempts.c.kind,
            func.count().label("jobs"),
            func.sum(_attempts.c.things).label("things"),
        )
        .where(_attempts.c.outcome == ALIVE)
        .group_by(_attempts.c.kind)
    )


def _waiting_in(lane_ids: Collection[int]) -> Select[tuple[str, int, int]]:
    return (
        select(
            _requests.c.kind,
            func.count().label("jobs"),
            func.sum(_jobs.c.things).label("things"),
        )
        .join(_requests, _requests.c.id == _jobs.c.request_id)
        .where(_jobs.c.state == WAITING, _jobs.c.lane_id.in_(lane_ids))
        .group_by(_requests.c.kind)
    )


async def past_minute(session: Reading, *, at: datetime) -> defaultdict[str, Load]:
    """Results of the last 60 s, by kind, without decoys, which have no size."""
    rows = await session.execute(
        select(
            _attempts.c.kind,
            func.count().label("jobs"),
            func.sum(_attempts.c.things).label("things"),
        )
        .where(
            _attempts.c.ended_at > at - timedelta(seconds=60),
            _attempts.c.outcome == Outcome.DONE,
            _attempts.c.things > 0,
        )
        .group_by(_attempts.c.kind)
    )
    return defaultdict(Load, {row.kind: Load(row.jobs, int(row.things)) for row in rows})


async def take_uncounted(session: Writing, limit: int) -> list[EndedAttempt]:
    """Take the attempts that ended and are not in the roll-ups yet, and mark them as counted."""
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
        .where(_attempts.c.id.in_(dialects.once(uncounted)))
        .values(counted=True)
        .returning(*(_attempts.c[field.name] for field in fields(EndedAttempt)))
    )
    return [EndedAttempt(*row) for row in await session.execute(statement)]


async def delete_attempts(session: Writing, *, before: datetime, limit: int) -> int:
    """Delete counted attempts that ended long ago. Returns how many."""
    old = (
        select(_attempts.c.id)
        .where(_attempts.c.ended_at < before, _attempts.c.counted.is_(True))
        .limit(limit)
    )
    gone = await session.execute(
        _attempts.delete().where(_attempts.c.id.in_(old)).returning(_attempts.c.id)
    )
    return len(gone.all())
