"""A request from being asked to being gone: it waits, is renewed, cancelled, and expires.

    its jobs:  WAITING ⇄ PROCESSING → DONE | FAULTED          WAITING → CANCELLED | EXPIRED

Every function is one step inside the caller's transaction. Workers' attempts are in `attempts`, the
choice of their jobs is in `claim`.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Update,
    bindparam,
    case,
    func,
    insert,
    select,
    update,
)

from core import dialects
from core.columns import Moment
from core.db import Reading, Writing, table
from core.prepared import prepared
from core.queue import parking
from core.queue.lane_rows import Caller
from core.queue.lanes import Lanes
from core.queue.matching import Needs
from core.queue.repeats import ClientKey
from core.queue.rows import Request
from core.queue.tables import WAITING, AttemptRow, Generation, Job, JobState, RequestRow

PUT_AWAY_AT_ONCE = 1000
"""Jobs of expired requests that a pop ends when it meets one."""

_requests = table(RequestRow)
_jobs = table(Job)
_attempts = table(AttemptRow)
_generations = table(Generation)


class NewJob(NamedTuple):
    """One result that is wanted."""

    seed: int
    things: int
    """Size of the work."""
    feature: str | None = None
    """What it needs of a worker besides the request's needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRequest:
    """A request that has been checked and may wait."""

    kind: str
    user_id: int
    client_agent: str
    prompt: str
    params: dict[str, Any]
    needs: Needs
    terms: dict[str, Any]
    jobs: Sequence[NewJob]
    priority: int
    """Whole kudos."""
    proxied_account: str | None = None
    webhook: str | None = None
    shared: bool = False
    address: str | None = None
    """The client's address, if it is stored."""
    client_key: ClientKey | None = None


async def enqueue(
    session: Writing,
    lanes: Lanes,
    new: NewRequest,
    *,
    request_id: UUID,
    at: datetime,
    expires_at: datetime,
    ageing_kudos_per_10s: int,
    is_parked: Callable[[Needs], bool] = lambda _needs: False,
) -> Counter[int]:
    """Add a request and its jobs, waiting.

    Returns how many jobs wait in which lane, without those that `is_parked` sets aside because
    nobody could serve them.

    Each 10 s of waiting are worth `ageing_kudos_per_10s` of priority to every request, so the order
    never changes after this and is stored once.
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
            "n": len(new.jobs),
            "prompt": new.prompt,
            "words": new.prompt.lower(),
            "params": new.params,
            "needs": new.needs.to_json(),
            "terms": new.terms,
            "proxied_account": new.proxied_account,
            "webhook": new.webhook,
            "shared": new.shared,
            "address": new.address,
            "client_key": new.client_key and new.client_key.key,
            "body_digest": new.client_key and new.client_key.body,
        },
    )
    lane_of, parked = {}, set[str | None]()
    for feature in dict.fromkeys(job.feature for job in new.jobs):
        needs = new.needs.of_job(feature)
        if is_parked(needs):
            parked.add(feature)
            lane_of[feature] = await parking.lane_for(session, needs.kind)
        else:
            lane_of[feature] = await lanes.lane_for(
                session, needs, Caller(new.user_id, new.address)
            )
    rank = int(at.timestamp() * ageing_kudos_per_10s / 10) - new.priority
    await session.execute(
        insert(_jobs),
        [
            {
                "request_id": request_id,
                "number": number,
                "lane_id": lane_of[job.feature],
                "user_id": new.user_id,
                "rank": rank,
                "things": job.things,
                "seed": job.seed,
                "feature": job.feature,
                "state": JobState.WAITING,
                "faults": 0,
            }
            for number, job in enumerate(new.jobs)
        ],
    )
    return Counter(lane_of[job.feature] for job in new.jobs if job.feature not in parked)


async def is_over(session: Reading, request_id: UUID) -> bool:
    """Whether none of the request's jobs waits or is worked on."""
    return not await session.scalar(_IS_GOING_ON, {"id": request_id})


_IS_GOING_ON = prepared(
    select(
        select(_jobs.c.id)
        .where(
            _jobs.c.request_id == bindparam("id"),
            _jobs.c.state.in_((JobState.WAITING, JobState.PROCESSING)),
        )
        .exists()
    )
)


async def waiting_of(session: Reading, user_id: int, *, lanes: Sequence[int] | None = None) -> int:
    """How many pictures and texts of the user wait (without popped ones).

    lanes: only in these.
    """
    waiting = _WAITING_OF if lanes is None else _WAITING_OF.where(_jobs.c.lane_id.in_(lanes))
    count = await session.scalar(waiting, {"user": user_id})
    return int(count or 0)


_WAITING_OF = prepared(
    select(func.count())
    .select_from(_jobs)
    .where(
        _jobs.c.user_id == bindparam("user"), _jobs.c.state == WAITING, _jobs.c.feature.is_(None)
    )
)


async def unfinished_forms_of(session: Reading, user_id: int) -> int:
    """How many of the user's forms wait or are worked on."""
    count = await session.scalar(_FORMS_OF, {"user": user_id})
    return int(count or 0)


_FORMS_OF = prepared(
    select(func.count())
    .select_from(_jobs)
    .where(
        _jobs.c.user_id == bindparam("user"),
        _jobs.c.state.in_((JobState.WAITING, JobState.PROCESSING)),
        _jobs.c.feature.is_not(None),
    )
)


async def renew(session: Writing, request_id: UUID, expires_at: datetime) -> None:
    """Let the request live at least until `expires_at`, and lock it in any case."""
    await session.execute(_RENEW, {"request": request_id, "until": expires_at})


async def end(session: Writing, request_id: UUID, *, at: datetime) -> None:
    """Make the request expire now; its rows are deleted like those of expired ones."""
    await session.execute(
        update(_requests).where(_requests.c.id == request_id).values(expires_at=at)
    )


_until = bindparam("until", type_=Moment)


def renewing(request_id: ColumnElement[UUID]) -> Update:
    """The statement of `renew`, with the parameter `until`, to be extended."""
    return (
        update(_requests)
        .where(_requests.c.id == request_id)
        .values(
            expires_at=case((_requests.c.expires_at < _until, _until), else_=_requests.c.expires_at)
        )
    )


_RENEW = prepared(renewing(bindparam("request", type_=_requests.c.id.type)))


async def cancel(session: Writing, request_id: UUID, *, at: datetime) -> int:
    """Cancel the request's waiting jobs; running ones go on. Returns how many were cancelled."""
    await session.execute(
        update(_requests)
        .where(_requests.c.id == request_id, _requests.c.cancelled_at.is_(None))
        .values(cancelled_at=at)
    )
    return await stop(session, [request_id], JobState.CANCELLED)


async def stop(session: Writing, request_ids: Sequence[UUID], state: JobState) -> int:
    """End the waiting jobs of locked requests; one that is being claimed goes on."""
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


async def put_away(session: Writing, taken_id: int, request: Request, at: datetime) -> None:
    """End the waiting jobs of requests that are over, the one just taken included.

    Upkeep runs once in a while and has not seen the expired ones yet. A job of a cancelled request
    waits if it was just being claimed and that claim was rolled back.
    """
    is_expired = request.expires_at <= at
    waiting = (
        select(_jobs.c.id)
        .join(_requests, _requests.c.id == _jobs.c.request_id)
        .where(
            _jobs.c.state == WAITING,
            _requests.c.expires_at <= at if is_expired else _requests.c.id == request.id,
        )
        .limit(PUT_AWAY_AT_ONCE)
        .with_for_update(of=_jobs, skip_locked=True)  # others may be ending the same jobs
    )
    await session.execute(
        update(_jobs)
        .where((_jobs.c.id == taken_id) | _jobs.c.id.in_(dialects.once(waiting)))
        .values(state=JobState.EXPIRED if is_expired else JobState.CANCELLED)
    )
