"""What workers hardly do by chance, and what follows: maintenance, suspicion, a pause.

A worker under too much suspicion is paused: it gets decoys and does not notice. Workers of trusted
owners never are.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import case, distinct, func, select, update

from core.db import Writing, table
from core.kinds import registry
from core.queue.rows import Attempt
from core.queue.tables import AttemptRow, Job, JobState, Outcome
from core.users import directory, suspicion
from core.users.tables import Reason, Role, User
from core.workers import records
from core.workers.tables import WorkerRow

DROPS_WITHIN: Final = timedelta(hours=1)
MAX_DROPS, MAX_DROPS_IN_RAID = 20, 10
DROPPED = (
    "This worker dropped {count} jobs within an hour and was put into maintenance mode. Please "
    "check its speed and settings before you take it out of maintenance mode."
)
MAX_FAULTS = 10
"""Failed jobs that other workers managed."""
FAULTS_FOR_ONE_DONE = 4
"""A worker's jobs nearly all fault if there are this many faults for each job that it finished."""
FAULTED = (
    "Within an hour {count} jobs failed on this worker that other workers managed, and hardly any "
    "succeeded, so it was put into maintenance mode. Please check its models and settings before "
    "you take it out of maintenance mode."
)

_attempts = table(AttemptRow)
_jobs = table(Job)
_workers = table(WorkerRow)


async def suspect(
    session: Writing, owner: User, worker_id: UUID, reason: Reason, *, at: datetime
) -> None:
    """Record a reason for suspicion, and pause the worker if that is one too many."""
    if owner.has(Role.TRUSTED):
        return
    count = await suspicion.suspect(session, owner.id, reason, at=at, worker_id=worker_id)
    if count >= suspicion.SUSPICIOUS:
        await session.execute(
            update(_workers).where(_workers.c.id == worker_id).values(paused=True)
        )


async def resume(session: Writing, user_id: int) -> None:
    """Let the user's workers get real jobs again."""
    await session.execute(
        update(_workers)
        .where(_workers.c.user_id == user_id, _workers.c.paused)
        .values(paused=False)
    )


async def judge_drops(
    session: Writing, worker_ids: Collection[UUID], *, raid: bool, at: datetime
) -> None:
    """Put those workers into maintenance that let too many jobs pass their deadline.

    Call it with the workers of attempts that were just aborted.
    """
    most = MAX_DROPS_IN_RAID if raid else MAX_DROPS
    of_kind = {
        kind: rules.max_drops
        for kind, rules in registry.KINDS.items()
        if rules.max_drops is not None
    }
    dropped = await session.execute(
        select(_attempts.c.worker_id, _attempts.c.owner_id, func.count().label("count"))
        .join(_workers, _workers.c.id == _attempts.c.worker_id)
        .where(
            _attempts.c.worker_id.in_(set(worker_ids)),
            _attempts.c.ended_at > at - DROPS_WITHIN,
            _attempts.c.outcome == Outcome.ABORTED,
            _workers.c.maintenance.is_(False),
        )
        .group_by(_attempts.c.worker_id, _attempts.c.owner_id, _attempts.c.kind)
        .having(func.count() > case(of_kind, value=_attempts.c.kind, else_=most))
        .order_by(_attempts.c.worker_id)
    )
    for row in dropped.all():
        message = DROPPED.format(count=row.count)
        await records.put_into_maintenance(session, row.worker_id, message=message)
        owner = await directory.by_id(session, row.owner_id)
        await suspect(session, owner, row.worker_id, Reason.TOO_MANY_JOBS_ABORTED, at=at)


async def judge_faults(session: Writing, job_id: int, *, at: datetime) -> None:
    """Put workers into maintenance that failed at this job and nearly always fail.

    Call it when another worker has finished the job: a job at which everybody fails is held against
    nobody.
    """
    failed = select(_attempts.c.worker_id).where(
        _attempts.c.job_id == job_id, _attempts.c.outcome == Outcome.FAULTED
    )
    others_managed = (_attempts.c.outcome == Outcome.FAULTED) & (_jobs.c.state == JobState.DONE)
    faults = func.count(distinct(case((others_managed, _attempts.c.job_id))))
    done = func.sum(case((_attempts.c.outcome == Outcome.DONE, 1), else_=0))
    unfit = await session.execute(
        select(_attempts.c.worker_id, faults.label("count"))
        .join(_workers, _workers.c.id == _attempts.c.worker_id)
        .join(_jobs, _jobs.c.id == _attempts.c.job_id, isouter=True)
        .where(
            _attempts.c.worker_id.in_(failed),
            _attempts.c.ended_at > at - DROPS_WITHIN,
            _workers.c.maintenance.is_(False),
        )
        .group_by(_attempts.c.worker_id)
        .having(faults >= MAX_FAULTS, faults >= FAULTS_FOR_ONE_DONE * done)
        .order_by(_attempts.c.worker_id)
    )
    for row in unfit.all():
        message = FAULTED.format(count=row.count)
        await records.put_into_maintenance(session, row.worker_id, message=message)


async def judge_speed(
    session: Writing,
    owner: User,
    attempt: Attempt,
    *,
    things: int,
    at: datetime,
) -> None:
    """Suspect a worker that delivers faster than anybody can. attempt: the row that is delivered.

    things: pixel steps, tokens or forms that it delivered.
    """
    seconds = max((at - attempt.started_at).total_seconds(), 0.001)
    if things / seconds > registry.of(attempt.kind).fastest(attempt.model):
        await suspect(session, owner, attempt.worker_id, Reason.UNREASONABLY_FAST, at=at)
