"""A worker's attempt at a job: begun at a pop, ended by a submit, by its deadline, or as a fake.

    ALIVE → DONE | FAULTED | ABORTED

A fault is an opinion. A job whose attempt fails waits again with its old rank, for another worker
first (`claim` keeps it from this one for a while). Three workers' opinions, or three tries of the
only worker that there is, fault the job, and it alone: its request's others go on. Every function
is one step inside the caller's transaction; each decides by a conditional UPDATE, so that of two
callers one wins.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import bindparam, case, distinct, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import AnyRow, table
from core.queue import requests
from core.queue.claim import Claim
from core.queue.tables import (
    MAX_REASON_CHARS,
    Attempt,
    Generation,
    Job,
    JobState,
    Outcome,
    Request,
)

MAX_OPINIONS = 3
"""So many workers, or so many tries of one, and the job is faulted."""

_requests = table(Request)
_jobs = table(Job)
_attempts = table(Attempt)
_generations = table(Generation)


async def start(
    session: AsyncSession,
    claim: Claim,
    *,
    worker_id: UUID,
    owner_id: int,
    model: str,
    at: datetime,
    deadline: datetime,
    expires_at: datetime,
) -> list[UUID]:
    """Begin an attempt at each claimed job and renew the request. The attempts' ids, in order."""
    ids = [uuid4() for _ in claim.jobs]
    await session.execute(
        insert(_attempts),
        [
            {
                "id": attempt_id,
                "kind": claim.request.kind,
                "job_id": job.id,
                "request_id": claim.request.id,
                "worker_id": worker_id,
                "user_id": claim.request.user_id,
                "owner_id": owner_id,
                "model": model,
                "things": job.things,
                "started_at": at,
                "deadline": deadline,
                "outcome": Outcome.ALIVE,
            }
            for attempt_id, job in zip(ids, claim.jobs, strict=True)
        ],
    )
    await requests.renew(session, claim.request.id, expires_at)
    return ids


async def start_decoy(
    session: AsyncSession,
    request: AnyRow,
    *,
    worker_id: UUID,
    owner_id: int,
    model: str,
    at: datetime,
    deadline: datetime,
) -> UUID:
    """Let a worker believe that it works at the request. No job is claimed, nothing renewed."""
    attempt_id = uuid4()
    await session.execute(
        insert(_attempts).values(
            id=attempt_id,
            kind=request.kind,
            request_id=request.id,
            worker_id=worker_id,
            user_id=request.user_id,
            owner_id=owner_id,
            model=model,
            things=0,
            started_at=at,
            deadline=deadline,
            outcome=Outcome.DECOY,
        )
    )
    return attempt_id


async def end_decoy(session: AsyncSession, attempt_id: UUID, *, at: datetime) -> bool:
    """The worker is done with a decoy; it is in no sum. False where it was over already."""
    ended = await session.execute(
        update(_attempts)
        .where(_attempts.c.id == attempt_id, _attempts.c.outcome == Outcome.DECOY)
        .values(outcome=Outcome.DONE, ended_at=at, counted=True)
        .returning(_attempts.c.id)
    )
    return ended.first() is not None


async def attempt(session: AsyncSession, attempt_id: UUID) -> AnyRow | None:
    """The attempt with what its settlement and answer need of job and request, or None."""
    return (await session.execute(_ATTEMPT, {"id": attempt_id})).first()


_ATTEMPT = (
    select(
        _attempts,
        _jobs.c.number,
        _jobs.c.lane_id,
        _jobs.c.feature,
        _jobs.c.faults,
        _requests.c.prompt,
        _requests.c.params,
        _requests.c.needs,
        _requests.c.terms,
        _requests.c.expires_at,
        _requests.c.proxied_account,
        _requests.c.webhook,
        _requests.c.shared,
        _requests.c.address,
    )
    .join(_requests, _requests.c.id == _attempts.c.request_id, isouter=True)
    .join(_jobs, _jobs.c.id == _attempts.c.job_id, isouter=True)
    .where(_attempts.c.id == bindparam("id"))
)


async def is_alive(session: AsyncSession, attempt_id: str) -> bool:
    """Whether the attempt may still deliver."""
    try:
        wanted = UUID(attempt_id)
    except ValueError:
        return False
    found = await session.scalar(_OUTCOME, {"id": wanted})
    return found in (Outcome.ALIVE, Outcome.DECOY)


_OUTCOME = select(_attempts.c.outcome).where(_attempts.c.id == bindparam("id"))


async def finish(
    session: AsyncSession,
    attempt_id: UUID,
    *,
    at: datetime,
    charge: int,
    reward: int,
    things: int,
    team_id: UUID | None = None,
) -> bool:
    """End the attempt and its job as done. False where the attempt was over already.

    things: size of the work as it turned out. team_id: the team that the worker is in now.
    """
    told = {"charge": charge, "reward": reward, "things": things, "team_id": team_id}
    return await _end(session, attempt_id, Outcome.DONE, at, **told)


async def fault(
    session: AsyncSession, attempt_id: UUID, *, at: datetime, reason: str | None = None
) -> bool:
    """The worker could not: the job waits again, or is faulted. False where it was over.

    reason: why it could not, in its words; cut where it is too long.
    """
    told = {} if reason is None else {"reason": reason[:MAX_REASON_CHARS]}
    return await _end(session, attempt_id, Outcome.FAULTED, at, **told)


async def _end(
    session: AsyncSession, attempt_id: UUID, outcome: Outcome, at: datetime, **told: object
) -> bool:
    values = {"attempt": attempt_id, "outcome": outcome, "ended_at": at, **told}
    ended = (await session.execute(_END, values)).first()
    if ended is None:
        return False
    if outcome is Outcome.DONE:
        await session.execute(_DONE, {"job": ended.job_id})
    else:
        await _return(session, [ended.job_id])
    return True


_END = (
    update(_attempts)
    .where(_attempts.c.id == bindparam("attempt"), _attempts.c.outcome == Outcome.ALIVE)
    .returning(_attempts.c.job_id)
)
"""The columns to be set are its parameters."""


_DONE = update(_jobs).where(_jobs.c.id == bindparam("job")).values(state=JobState.DONE)


async def abort_stale(session: AsyncSession, *, at: datetime, limit: int) -> list[AnyRow]:
    """End attempts past their deadline; their jobs wait again or are faulted.

    Rows with `job_id`, `request_id` and `worker_id`, one an attempt. Decoys just end.
    """
    stale = (
        select(_attempts.c.id)
        .where(
            _attempts.c.outcome.in_((Outcome.ALIVE, Outcome.DECOY)),
            _attempts.c.deadline < at,
        )
        .order_by(_attempts.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ended = (
        await session.execute(
            update(_attempts)
            .where(_attempts.c.id.in_(stale))
            .values(outcome=Outcome.ABORTED, ended_at=at)
            .returning(_attempts.c.job_id, _attempts.c.request_id, _attempts.c.worker_id)
        )
    ).all()
    await _return(session, [row.job_id for row in ended if row.job_id is not None])
    return [row for row in ended if row.job_id is not None]


async def lanes_of(session: AsyncSession, job_ids: Collection[int]) -> Counter[int]:
    """How many of these jobs wait in which lane."""
    lanes = select(_jobs.c.lane_id).where(
        _jobs.c.id.in_(job_ids), _jobs.c.state == JobState.WAITING
    )
    return Counter(await session.scalars(lanes))


async def _return(session: AsyncSession, job_ids: Sequence[int]) -> None:
    """Let jobs wait again after a fault, or fault those of which workers have said enough.

    What was cancelled or is over meanwhile does not wait again: the requests are locked and looked
    at after their jobs came back, so that a `cancel` at the same time either sees these jobs or is
    seen here.
    """
    if not job_ids:
        return
    returned = await session.scalars(
        update(_jobs)
        .where(_jobs.c.id.in_(job_ids))
        .values(
            faults=_jobs.c.faults + 1,
            state=case((_said_enough, int(JobState.FAULTED)), else_=int(JobState.WAITING)),
        )
        .returning(_jobs.c.request_id)
    )
    locked = await session.execute(
        select(_requests.c.id, _requests.c.cancelled_at, _requests.c.faulted_at)
        .where(_requests.c.id.in_(set(returned)))
        .order_by(_requests.c.id)
        .with_for_update(key_share=True)
    )
    over = [row.id for row in locked if row.cancelled_at or row.faulted_at]
    await requests.stop(session, over, JobState.CANCELLED)


_failed = (_attempts.c.job_id == _jobs.c.id) & _attempts.c.outcome.in_(
    (Outcome.FAULTED, Outcome.ABORTED)
)
_opinions = select(func.count(distinct(_attempts.c.worker_id))).where(_failed).scalar_subquery()
_own_tries = (
    select(func.count())
    .where(_failed)
    .group_by(_attempts.c.worker_id)
    .order_by(func.count().desc())
    .limit(1)
    .scalar_subquery()
)
_said_enough = (_opinions >= MAX_OPINIONS) | (_own_tries >= MAX_OPINIONS)


async def keep(session: AsyncSession, values: Iterable[dict[str, Any]]) -> None:
    """Write down what successful attempts brought back (columns of `generations`)."""
    await session.execute(insert(_generations), list(values))


async def generations(session: AsyncSession, request_id: UUID) -> Sequence[AnyRow]:
    """What is finished of a request, in the order of its jobs, with each one's charge."""
    return (await session.execute(_GENERATIONS, {"id": request_id})).all()


_GENERATIONS = (
    select(_generations, _attempts.c.charge)
    .join(_attempts, _attempts.c.id == _generations.c.attempt_id)
    .where(_generations.c.request_id == bindparam("id"))
    .order_by(_generations.c.number)
)
