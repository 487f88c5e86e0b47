"""How far a request is: counts by state, from one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import AnyRow, table
from core.queue.matching import Needs
from core.queue.tables import Attempt, Job, JobState, Outcome, Request

_requests = table(Request)
_jobs = table(Job)
_attempts = table(Attempt)


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
    cancelled: bool
    charged: int
    """Hundredths of a kudos charged for finished jobs."""
    rank: int | None
    """Rank of its waiting jobs, with `job_id` of the first of them; None where none waits."""
    job_id: int | None
    things_waiting: int

    @property
    def done(self) -> bool:
        """Nothing of it waits or is worked on."""
        return self.faulted or (self.waiting == 0 and self.processing == 0)


async def of(session: AsyncSession, request_id: UUID, *, at: datetime) -> Progress | None:
    """The request's progress, or None where there is no such request (any more)."""
    row = (await session.execute(_PROGRESS, {"id": request_id})).first()
    if row is None or row.expires_at <= at:
        return None
    return Progress(
        request_id=row.id,
        kind=row.kind,
        user_id=row.user_id,
        shared=row.shared,
        needs=Needs.from_json(row.needs),
        terms=row.terms,
        params=row.params,
        n=row.n,
        waiting=row.waiting,
        processing=row.processing,
        finished=row.finished,
        restarted=row.restarted,
        faulted=row.faulted_at is not None,
        cancelled=row.cancelled_at is not None,
        charged=int(row.charged or 0),
        rank=row.first_rank,
        job_id=row.first_id,
        things_waiting=int(row.things_waiting),
    )


def _count(state: JobState) -> Any:  # noqa: ANN401 - a column expression
    return func.sum(case((_jobs.c.state == state, 1), else_=0))


def _waiting(value: Any) -> Any:  # noqa: ANN401
    return case((_jobs.c.state == JobState.WAITING, value))


_charged = (
    select(func.sum(_attempts.c.charge))
    .where(_attempts.c.request_id == bindparam("id"), _attempts.c.outcome == Outcome.DONE)
    .scalar_subquery()
)
_PROGRESS = (
    select(
        _requests,
        _count(JobState.WAITING).label("waiting"),
        _count(JobState.PROCESSING).label("processing"),
        _count(JobState.DONE).label("finished"),
        func.sum(_jobs.c.faults).label("restarted"),
        func.min(_waiting(_jobs.c.rank)).label("first_rank"),
        func.min(_waiting(_jobs.c.id)).label("first_id"),
        func.coalesce(func.sum(_waiting(_jobs.c.things)), 0).label("things_waiting"),
        _charged.label("charged"),
    )
    .join(_jobs, _jobs.c.request_id == _requests.c.id)
    .where(_requests.c.id == bindparam("id"))
    .group_by(_requests.c.id)
)


async def jobs(session: AsyncSession, request_id: UUID) -> Sequence[AnyRow]:
    """The request's jobs in order: `number`, `state`, and `worker_id` of the last attempt."""
    return (await session.execute(_JOBS, {"id": request_id})).all()


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
_JOBS = (
    select(_jobs.c.number, _jobs.c.state, _jobs.c.feature, _last_worker.label("worker_id"))
    .where(_jobs.c.request_id == bindparam("id"))
    .order_by(_jobs.c.number)
)


async def alive(session: AsyncSession, request_id: UUID) -> Sequence[AnyRow]:
    """The attempts being worked on: `worker_id`, `things`, `started_at`."""
    return (await session.execute(_ALIVE, {"id": request_id})).all()


_ALIVE = select(_attempts.c.worker_id, _attempts.c.things, _attempts.c.started_at).where(
    _attempts.c.request_id == bindparam("id"), _attempts.c.outcome == Outcome.ALIVE
)


async def active_of(session: AsyncSession, user_id: int, *, at: datetime) -> Sequence[AnyRow]:
    """The user's requests that have not expired, finished ones included: `id` and `kind`.

    A client that lost its ids finds there what it can still fetch.
    """
    return (await session.execute(_ACTIVE, {"user_id": user_id, "at": at})).all()


_ACTIVE = (
    select(_requests.c.id, _requests.c.kind)
    .where(_requests.c.user_id == bindparam("user_id"), _requests.c.expires_at > bindparam("at"))
    .order_by(_requests.c.created_at)
)
