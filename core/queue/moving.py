"""Waiting jobs that go from one lane to others; for everybody else they never stop waiting."""

from collections import Counter
from collections.abc import Mapping, Sequence

from sqlalchemy import select, update

from core.db import Writing, table
from core.queue.rows import WaitingJob
from core.queue.tables import WAITING, Job, RequestRow

_jobs = table(Job)
_requests = table(RequestRow)


async def move(
    session: Writing, lane_id: int, into: Mapping[int, Sequence[WaitingJob]]
) -> Counter[int]:
    """Move jobs of a lane that still wait, and that nobody is at.

    into: the jobs, by the lane where they belong.

    Whoever cancels a request passes over its jobs that are locked, so the requests are locked
    first; as nothing here is waited for, the order of locks does not matter.
    Returns how many each lane got, those left out that got none.
    """
    request_ids = {job.request_id for jobs in into.values() for job in jobs}
    ours = (
        select(_requests.c.id)
        .where(_requests.c.id.in_(request_ids), _requests.c.cancelled_at.is_(None))
        .with_for_update(key_share=True, skip_locked=True)
    )
    locked = set(await session.scalars(ours))
    moved = Counter[int]()
    for new_id, jobs in into.items():
        here = (
            select(_jobs.c.id)
            .where(
                _jobs.c.id.in_([job.id for job in jobs if job.request_id in locked]),
                _jobs.c.lane_id == lane_id,
                _jobs.c.state == WAITING,
            )
            .with_for_update(skip_locked=True)
        )
        there = update(_jobs).where(_jobs.c.id.in_(here)).values(lane_id=new_id)
        if count := len((await session.execute(there.returning(_jobs.c.id))).all()):
            moved[new_id] = count
    return moved
