"""What happens to requests, jobs and attempts between being asked and being answered.

    job:      WAITING ⇄ PROCESSING → DONE | FAULTED          WAITING → CANCELLED | EXPIRED
    attempt:  ALIVE → DONE | FAULTED | ABORTED

A job whose attempt fails waits again with its old rank; the third time it is faulted, and its
request with it, which keeps what is finished. Every function is one step inside the caller's
transaction; each decides by a conditional UPDATE, so that of two callers one wins.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import bindparam, case, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import AnyRow, Moment, table
from core.queue.claim import Claim
from core.queue.lanes import Lanes
from core.queue.matching import Needs
from core.queue.tables import WAITING, Attempt, Generation, Job, JobState, Outcome, Request

FAULTS_ALLOWED = 3  # the third ends a job and its request
GRACE = timedelta(minutes=1)
"""From its expiry a request is gone for everybody; its rows follow when nobody is at them."""

_requests = table(Request)
_jobs = table(Job)
_attempts = table(Attempt)
_generations = table(Generation)


@dataclass(frozen=True, slots=True)
class NewRequest:
    """A request that has been checked and may wait."""

    kind: str
    user_id: int
    client_agent: str
    prompt: str
    params: dict[str, Any]
    needs: Needs
    terms: dict[str, Any]
    seeds: Sequence[int]
    """One for each job."""
    things: int
    """Size of each job's work."""
    priority: int
    """Whole kudos."""


class Queued(NamedTuple):
    """Where a new request waits."""

    request_id: UUID
    lane_id: int


async def enqueue(
    session: AsyncSession,
    lanes: Lanes,
    new: NewRequest,
    *,
    request_id: UUID,
    at: datetime,
    expires_at: datetime,
    ageing_kudos_per_10s: int,
) -> Queued:
    """Add a request and its jobs, waiting.

    Each 10 s of waiting are worth `ageing_kudos_per_10s` of priority to everybody alike, so the
    order never changes after this and is written down once.
    """
    await session.execute(
        insert(_requests),
        {
            "id": request_id,
            "kind": new.kind,
            "user_id": new.user_id,
            "client_agent": new.client_agent,
            "created_at": at,
            "expires_at": expires_at,
            "n": len(new.seeds),
            "prompt": new.prompt,
            "params": new.params,
            "needs": new.needs.to_json(),
            "terms": new.terms,
        },
    )
    lane_id = await lanes.lane_for(session, new.needs)
    rank = int(at.timestamp() * ageing_kudos_per_10s / 10) - new.priority
    await session.execute(
        insert(_jobs),
        [
            {
                "request_id": request_id,
                "number": number,
                "lane_id": lane_id,
                "user_id": new.user_id,
                "rank": rank,
                "things": new.things,
                "seed": seed,
                "state": JobState.WAITING,
                "faults": 0,
            }
            for number, seed in enumerate(new.seeds)
        ],
    )
    return Queued(request_id, lane_id)


async def is_over(session: AsyncSession, request_id: UUID) -> bool:
    """Whether none of the request's jobs waits or is worked on."""
    return not await session.scalar(_IS_GOING_ON, {"id": request_id})


_IS_GOING_ON = select(
    select(_jobs.c.id)
    .where(
        _jobs.c.request_id == bindparam("id"),
        _jobs.c.state.in_((JobState.WAITING, JobState.PROCESSING)),
    )
    .exists()
)


async def waiting_of(session: AsyncSession, user_id: int) -> int:
    """How many of the user's jobs wait (popped ones do not count towards the concurrency)."""
    count = await session.scalar(_WAITING_OF, {"user": user_id})
    return int(count or 0)


_WAITING_OF = (
    select(func.count())
    .select_from(_jobs)
    .where(_jobs.c.user_id == bindparam("user"), _jobs.c.state == WAITING)
)


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
    await renew(session, claim.request.id, expires_at)
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


async def renew(session: AsyncSession, request_id: UUID, expires_at: datetime) -> None:
    """Let the request live until `expires_at`, unless it lives longer already; lock it anyway."""
    await session.execute(_RENEW, {"request": request_id, "until": expires_at})


_until = bindparam("until", type_=Moment)
_RENEW = (
    update(_requests)
    .where(_requests.c.id == bindparam("request"))
    .values(
        expires_at=case((_requests.c.expires_at < _until, _until), else_=_requests.c.expires_at)
    )
)


async def attempt(session: AsyncSession, attempt_id: UUID) -> AnyRow | None:
    """The attempt with what its settlement and answer need of job and request, or None."""
    return (await session.execute(_ATTEMPT, {"id": attempt_id})).first()


_ATTEMPT = (
    select(
        _attempts,
        _jobs.c.number,
        _jobs.c.lane_id,
        _requests.c.params,
        _requests.c.needs,
        _requests.c.terms,
        _requests.c.expires_at,
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
    session: AsyncSession, attempt_id: UUID, *, at: datetime, charge: int, reward: int
) -> bool:
    """End the attempt and its job as done. False where the attempt was over already."""
    return await _end(session, attempt_id, Outcome.DONE, at, charge=charge, reward=reward)


async def fault(session: AsyncSession, attempt_id: UUID, *, at: datetime) -> bool:
    """The worker could not: the job waits again, or is faulted. False where it was over."""
    return await _end(session, attempt_id, Outcome.FAULTED, at)


async def _end(
    session: AsyncSession, attempt_id: UUID, outcome: Outcome, at: datetime, **kudos: int
) -> bool:
    values = {"attempt": attempt_id, "outcome": outcome, "ended_at": at, **kudos}
    ended = (await session.execute(_END, values)).first()
    if ended is None:
        return False
    if outcome is Outcome.DONE:
        await session.execute(_DONE, {"job": ended.job_id})
    else:
        await _return(session, [ended.job_id], at)
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

    Rows with `request_id` and `worker_id`, one an attempt. Decoys end without further effect.
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
    await _return(session, [row.job_id for row in ended if row.job_id is not None], at)
    return [row for row in ended if row.job_id is not None]


async def _return(session: AsyncSession, job_ids: Sequence[int], at: datetime) -> None:
    """Let jobs wait again after a fault; the third fault ends the job and its request.

    What was cancelled or is over meanwhile does not wait again: the requests are locked and looked
    at after their jobs came back, so that a `cancel` at the same time either sees these jobs or is
    seen here.
    """
    if not job_ids:
        return
    faults = _jobs.c.faults + 1
    returned = (
        await session.execute(
            update(_jobs)
            .where(_jobs.c.id.in_(job_ids))
            .values(
                faults=faults,
                state=case(
                    (faults >= FAULTS_ALLOWED, int(JobState.FAULTED)),
                    else_=int(JobState.WAITING),
                ),
            )
            .returning(_jobs.c.request_id, _jobs.c.state)
        )
    ).all()
    locked = await session.execute(
        select(_requests.c.id, _requests.c.cancelled_at, _requests.c.faulted_at)
        .where(_requests.c.id.in_({row.request_id for row in returned}))
        .order_by(_requests.c.id)
        .with_for_update(key_share=True)
    )
    over = [row.id for row in locked if row.cancelled_at or row.faulted_at]
    await _stop(session, over, JobState.CANCELLED)
    faulted = sorted({row.request_id for row in returned if row.state == JobState.FAULTED})
    await _stop(session, faulted, JobState.FAULTED)
    await session.execute(
        update(_requests)
        .where(_requests.c.id.in_(faulted), _requests.c.faulted_at.is_(None))
        .values(faulted_at=at)
    )


async def cancel(session: AsyncSession, request_id: UUID, *, at: datetime) -> int:
    """Cancel the request's waiting jobs; running ones go on. How many were cancelled."""
    await session.execute(
        update(_requests)
        .where(_requests.c.id == request_id, _requests.c.cancelled_at.is_(None))
        .values(cancelled_at=at)
    )
    return await _stop(session, [request_id], JobState.CANCELLED)


async def _stop(session: AsyncSession, request_ids: Sequence[UUID], state: JobState) -> int:
    """End the waiting jobs of requests that are locked; one that is being claimed goes on."""
    if not request_ids:
        return 0
    waiting = (
        select(_jobs.c.id)
        .where(_jobs.c.request_id.in_(request_ids), _jobs.c.state == WAITING)
        .with_for_update(skip_locked=True)
    )
    stopped = await session.execute(
        update(_jobs).where(_jobs.c.id.in_(waiting)).values(state=state).returning(_jobs.c.id)
    )
    return len(stopped.all())


class Expired(NamedTuple):
    """A request that is gone, and the pictures that were its."""

    request_id: UUID
    attempt_ids: list[UUID]


async def delete_expired(session: AsyncSession, *, at: datetime, limit: int) -> list[Expired]:
    """Delete requests whose life is over, with their jobs, prompts and results.

    Attempts stay, for statistics; those still alive are ended.
    """
    expired = (
        select(_requests.c.id)
        .where(_requests.c.expires_at <= at - GRACE)
        .order_by(_requests.c.expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = list(await session.scalars(expired))
    if not ids:
        return []
    await session.execute(
        update(_attempts)
        .where(_attempts.c.request_id.in_(ids), _attempts.c.outcome == Outcome.ALIVE)
        .values(outcome=Outcome.ABORTED, ended_at=at)
    )
    attempts: dict[UUID, list[UUID]] = {request_id: [] for request_id in ids}
    for row in await session.execute(
        select(_attempts.c.request_id, _attempts.c.id).where(_attempts.c.request_id.in_(ids))
    ):
        attempts[row.request_id].append(row.id)
    await session.execute(delete(_requests).where(_requests.c.id.in_(ids)))
    return [Expired(*item) for item in attempts.items()]


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
