"""The progress of a request: counts by state, from one statement."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, bindparam, case, func, select

from core.db import Reading, table
from core.prepared import prepared
from core.queue import results
from core.queue.matching import Needs
from core.queue.results import Result
from core.queue.rows import ActiveRequest, Fault, JobProgress, RunningAttempt
from core.queue.tables import ALIVE, AttemptRow, Job, JobState, LaneVersion, Outcome, RequestRow

MAX_RUNNING = 10_000
"""The most attempts that are read; beyond, an estimate is too small, which is harmless."""

_requests = table(RequestRow)
_jobs = table(Job)
_attempts = table(AttemptRow)
_version = table(LaneVersion)


@dataclass(frozen=True, slots=True)
class Progress:
    """A request at one moment."""

    request_id: UUID
    kind: str
    user_id: int
    shared: bool
    needs: Needs
    terms: dict[str, Any]
    params: dict[str, Any]
    n: int
    waiting: int
    processing: int
    finished: int
    restarted: int
    """Attempts that failed; never decreases."""
    faulted: bool
    """All of it is over, without any result."""
    charged: int
    """Hundredths of a kudos charged for finished jobs."""
    rank: int | None
    """Rank of its waiting jobs, with `job_id` of the first; None if none waits."""
    job_id: int | None
    things_waiting: int
    things_each: float
    """Size of a job, on average."""
    features_waiting: list[str]
    """The features of its waiting jobs that need one of their own: one for each job."""
    expires_at: datetime
    prompt: str
    lane_version: int
    """The version of the lanes at the same moment."""

    @property
    def done(self) -> bool:
        """Nothing of it waits or is worked on."""
        return self.faulted or (self.waiting == 0 and self.processing == 0)


async def of(session: Reading, request_id: UUID, *, at: datetime) -> Progress | None:
    """The request's progress, or None if there is no such request (any more)."""
    row = (await session.execute(_PROGRESS, {"id": request_id})).mappings().first()
    return None if row is None or row["expires_at"] <= at else _read(row)


async def whole(
    session: Reading, request_id: UUID, *, at: datetime
) -> tuple[Progress, Sequence[Result]] | None:
    """The request's progress and what is finished of it, in order; None as in `of`."""
    rows = (await session.execute(_WHOLE, {"id": request_id})).mappings().all()
    if not rows or rows[0]["expires_at"] <= at:
        return None
    done = [Result.from_row(row) for row in rows if row["result_attempt_id"] is not None]
    return _read(rows[0]), done


def _read(row: RowMapping) -> Progress:
    return Progress(
        request_id=row["id"],
        kind=row["kind"],
        user_id=row["user_id"],
        shared=row["shared"],
        needs=Needs.from_json(row["needs"]),
        terms=row["terms"],
        params=row["params"],
        n=row["n"],
        waiting=row["waiting"],
        processing=row["processing"],
        finished=row["finished"],
        restarted=row["restarted"],
        faulted=row["faulted_at"] is not None or _is_lost(row),
        charged=int(row["charged"] or 0),
        rank=row["first_rank"],
        job_id=row["first_id"],
        things_waiting=int(row["things_waiting"]),
        things_each=float(row["things_each"] or 0),
        features_waiting=row["features"].split(",") if row["features"] else [],
        expires_at=row["expires_at"],
        prompt=row["prompt"],
        lane_version=row["lane_version"] or 0,
    )


def _is_lost(row: RowMapping) -> bool:
    return bool(
        row["lost"] and not row["waiting"] and not row["processing"] and not row["finished"]
    )


def _count(state: JobState) -> Any:  # noqa: ANN401 - a column expression
    return func.sum(case((_jobs.c.state == state, 1), else_=0))


def _waiting(value: Any) -> Any:  # noqa: ANN401
    # In a mapping: to tell a pair from one, SQLAlchemy would write the column, for 6 MB.
    return case({_jobs.c.state == JobState.WAITING: value})


_charged = (
    select(func.sum(_attempts.c.charge))
    .where(_attempts.c.request_id == bindparam("id"), _attempts.c.outcome == Outcome.DONE)
    .scalar_subquery()
)
_PROGRESS = prepared(
    select(
        _requests,
        _count(JobState.WAITING).label("waiting"),
        _count(JobState.PROCESSING).label("processing"),
        _count(JobState.DONE).label("finished"),
        _count(JobState.FAULTED).label("lost"),
        func.sum(_jobs.c.faults).label("restarted"),
        func.min(_waiting(_jobs.c.rank)).label("first_rank"),
        func.min(_waiting(_jobs.c.id)).label("first_id"),
        func.coalesce(func.sum(_waiting(_jobs.c.things)), 0).label("things_waiting"),
        func.avg(_jobs.c.things).label("things_each"),
        func.aggregate_strings(_waiting(_jobs.c.feature), ",").label("features"),
        _charged.label("charged"),
        select(_version.c.version).scalar_subquery().label("lane_version"),
    )
    .join(_jobs, _jobs.c.request_id == _requests.c.id)
    .where(_requests.c.id == bindparam("id"))
    .group_by(_requests.c.id)
)
_progress = _PROGRESS.subquery()
_WHOLE = prepared(
    select(_progress, *results.COLUMNS)
    .select_from(_progress.outerjoin(results.JOINED, _progress.c.id == results.request_column))
    .order_by(results.number_column)
)
"""How far a request is, once for each of its results: few, so that it is cheaper than two."""


async def jobs(session: Reading, request_id: UUID) -> list[JobProgress]:
    """The request's jobs in order."""
    rows = await session.execute(_JOBS, {"id": request_id})
    return [JobProgress(**row) for row in rows.mappings()]


_last_worker = (
    select(_attempts.c.worker_id)
    .where(
        _attempts.c.job_id == _jobs.c.id,
        _attempts.c.outcome.in_((Outcome.ALIVE, Outcome.DONE)),
    )
    .order_by(_attempts.c.started_at.desc())
    .limit(1)
    .scalar_subquery()
)
_last_reason = (
    select(_attempts.c.reason)
    .where(
        _jobs.c.faults > 0,
        _attempts.c.job_id == _jobs.c.id,
        _attempts.c.outcome.in_((Outcome.FAULTED, Outcome.ABORTED)),
    )
    .order_by(_attempts.c.ended_at.desc())
    .limit(1)
    .scalar_subquery()
)


async def faults(session: Reading, request_id: UUID) -> list[Fault]:
    """The request's jobs that a worker failed at, in order."""
    rows = await session.execute(_FAULTS, {"id": request_id})
    return [Fault(**row) for row in rows.mappings()]


_FAULTS = (
    select(_jobs.c.number, _jobs.c.faults.label("tries"), _last_reason.label("reason"))
    .where(_jobs.c.request_id == bindparam("id"), _jobs.c.faults > 0)
    .order_by(_jobs.c.number)
)
_JOBS = (
    select(
        _jobs.c.number,
        _jobs.c.state,
        _jobs.c.feature,
        _jobs.c.faults,
        _last_worker.label("worker_id"),
        _last_reason.label("reason"),
    )
    .where(_jobs.c.request_id == bindparam("id"))
    .order_by(_jobs.c.number)
)


async def running(session: Reading) -> list[RunningAttempt]:
    """The attempts that go on."""
    return [RunningAttempt(*row) for row in await session.execute(_RUNNING)]


_RUNNING = (
    select(*(_attempts.c[field.name] for field in fields(RunningAttempt)))
    .where(_attempts.c.outcome == ALIVE)
    .limit(MAX_RUNNING)
)


async def active_of(session: Reading, user_id: int, *, at: datetime) -> list[ActiveRequest]:
    """The user's requests that have not expired, finished ones included.

    A client that lost its ids can find there what it can still fetch.
    """
    rows = await session.execute(_ACTIVE, {"user_id": user_id, "at": at})
    return [ActiveRequest(**row) for row in rows.mappings()]


_ACTIVE = (
    select(_requests.c.id, _requests.c.kind)
    .where(_requests.c.user_id == bindparam("user_id"), _requests.c.expires_at > bindparam("at"))
    .order_by(_requests.c.created_at)
)
