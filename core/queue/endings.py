"""How an attempt ends: delivered, given back by its worker, or past its deadline.

    ALIVE → DONE | FAULTED | ABORTED

A fault is an opinion. A job whose attempt fails waits again with its old rank, for another worker
first (`claim` keeps it from this one for a while). The opinions of three workers, or three tries of
the only worker, fault the job, and only that job: the others of its request go on. Every function
is one step inside the caller's transaction; each decides by a conditional UPDATE, so that of two
callers one wins.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Select,
    bindparam,
    case,
    distinct,
    func,
    insert,
    select,
    update,
)

from core import dialects
from core.db import Reading, Writing, table
from core.prepared import prepared
from core.queue import requests
from core.queue.rows import StaleAttempt
from core.queue.tables import (
    ALIVE,
    MAX_REASON_CHARS,
    AttemptRow,
    Generation,
    Job,
    JobState,
    Outcome,
    RequestRow,
)

MAX_OPINIONS = 3
"""This many workers, or tries of one worker, fault a job."""

_requests = table(RequestRow)
_jobs = table(Job)
_attempts = table(AttemptRow)
_generations = table(Generation)


async def finish(  # noqa: PLR0913 - all that a delivery consists of
    session: Writing,
    attempt_id: UUID,
    *,
    at: datetime,
    charge: int,
    reward: int,
    things: int,
    result: Mapping[str, Any],
    expires_at: datetime,
    team_id: UUID | None = None,
) -> bool:
    """End the attempt and its job as done, store the result and renew the request.

    The request is locked from then on. Returns False if the attempt was over already.

    things: size of the work as delivered. team_id: the worker's team at present.
    result: columns of `generations`.
    """
    outcome = {"charge": charge, "reward": reward, "things": things, "team_id": team_id}
    values = {"attempt": attempt_id, "outcome": Outcome.DONE, "ended_at": at, **outcome}
    if session.engine == "postgresql":
        its = {f"its_{name}": value for name, value in values.items()}
        kept = {f"kept_{name}": value for name, value in result.items()}
        finished = await session.scalar(_FINISH, {**its, **kept, "until": expires_at})
        return finished is not None
    ended = (await session.execute(_END, values)).first()
    if ended is None:
        return False
    await session.execute(_DONE, {"job": ended.job_id})
    await session.execute(insert(_generations), result)
    await requests.renew(session, result["request_id"], expires_at)
    return True


def _finish() -> Select[tuple[UUID]]:
    """The same in one statement, in the order of locks: attempt, job, request."""
    told = ("outcome", "ended_at", "charge", "reward", "things", "team_id")
    ended = (
        update(_attempts)
        .where(_attempts.c.id == bindparam("its_attempt"), _attempts.c.outcome == ALIVE)
        .values({name: bindparam(f"its_{name}", type_=_attempts.c[name].type) for name in told})
        .returning(_attempts.c.id, _attempts.c.job_id)
        .cte("ended")
    )
    done = (
        update(_jobs)
        .where(_jobs.c.id == ended.c.job_id)
        .values(state=JobState.DONE)
        .returning(ended.c.id.label("attempt_id"), _jobs.c.request_id)
        .cte("done")
    )
    columns = [column for column in _generations.c if column.name != "attempt_id"]
    kept = (
        insert(_generations)
        .from_select(
            ["attempt_id", *(column.name for column in columns)],
            select(
                done.c.attempt_id,
                *(bindparam(f"kept_{column.name}", type_=column.type) for column in columns),
            ),
        )
        .cte("kept")
    )
    renewed = requests.renewing(done.c.request_id).returning(_requests.c.id).cte("renewed")
    return select(done.c.attempt_id).join(renewed, renewed.c.id == done.c.request_id).add_cte(kept)


async def fault(
    session: Writing, attempt_id: UUID, *, at: datetime, reason: str | None = None
) -> bool:
    """End an attempt that failed: the job waits again, or is faulted. Returns False if it was over.

    reason: in the worker's words; cut if it is too long.
    """
    told = {} if reason is None else {"reason": reason[:MAX_REASON_CHARS]}
    return await _end(session, attempt_id, Outcome.FAULTED, at, **told)


async def _end(
    session: Writing, attempt_id: UUID, outcome: Outcome, at: datetime, **told: object
) -> bool:
    values = {"attempt": attempt_id, "outcome": outcome, "ended_at": at, **told}
    ended = (await session.execute(_END, values)).first()
    if ended is None:
        return False
    await _return(session, [ended.job_id])
    return True


_FINISH = prepared(_finish())
_END = (
    update(_attempts)
    .where(_attempts.c.id == bindparam("attempt"), _attempts.c.outcome == Outcome.ALIVE)
    .returning(_attempts.c.job_id)
)
"""Its parameters are the columns to be set."""


_DONE = prepared(update(_jobs).where(_jobs.c.id == bindparam("job")).values(state=JobState.DONE))


async def abort_stale(
    session: Writing, *, at: datetime, limit: int, silent_since: datetime | None = None
) -> list[StaleAttempt]:
    """End attempts past their deadline; their jobs wait again or are faulted.

    silent_since: those, too, whose worker used to say that it is at them and has not since then.
    Returns them, without the decoys, which just end.
    """
    is_over = _attempts.c.deadline < at
    if silent_since is not None:
        is_over = is_over | (_attempts.c.heard_at < silent_since)
    stale = (
        select(_attempts.c.id)
        .where(_attempts.c.outcome.in_((Outcome.ALIVE, Outcome.DECOY)), is_over)
        .order_by(_attempts.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ended = await session.execute(
        update(_attempts)
        .where(_attempts.c.id.in_(dialects.once(stale)))
        .values(outcome=Outcome.ABORTED, ended_at=at)
        .returning(_attempts.c.job_id, _attempts.c.request_id, _attempts.c.worker_id)
    )
    given_up = [StaleAttempt(**row) for row in ended.mappings() if row["job_id"] is not None]
    await _return(session, [one.job_id for one in given_up])
    return given_up


async def lanes_of(session: Reading, job_ids: Collection[int]) -> Counter[int]:
    """How many of these jobs wait, by lane."""
    lanes = select(_jobs.c.lane_id).where(
        _jobs.c.id.in_(job_ids), _jobs.c.state == JobState.WAITING
    )
    return Counter(await session.scalars(lanes))


async def _return(session: Writing, job_ids: Sequence[int]) -> None:
    """Let jobs wait again after a fault, or fault those with enough opinions.

    Jobs of requests that are over do not wait again: the requests are locked and looked at after
    their jobs came back, so that a concurrent `cancel` either sees these jobs or is seen here.
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
