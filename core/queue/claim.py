"""The claim: which jobs a worker gets.

With many workers at once, no job may be given twice, none may wait for another worker's
transaction, and no worker may be sent away while a job waits that fits it: `core.queue.seeking` has
the search, `core.queue.best` the statement for each try, the best one for each engine.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, bindparam, literal_column, select, update

from core.db import Reading, Writing, table
from core.prepared import prepared
from core.queue import best, requests
from core.queue.lanes import Lanes
from core.queue.matching import Offer
from core.queue.rows import Claimed, Request
from core.queue.seeking import Seeking
from core.queue.tables import WAITING, Job, JobState, LaneVersion, RequestRow

TRIES = 5
RETRY_PAUSE = timedelta(seconds=10)
"""How long a job is kept from a worker that failed at it, if no other worker might make it."""

_jobs = table(Job)
_requests = table(RequestRow)
_version = table(LaneVersion)


class Claim(NamedTuple):
    """Jobs of one request with consecutive seeds, and the request."""

    jobs: list[Claimed]
    request: Request


class Glimpse(NamedTuple):
    """The job that a worker would have got, which stays where it is, and its request."""

    request: Request
    number: int
    feature: str | None


class Found(NamedTuple):
    """What a worker gets."""

    claims: list[Claim]
    inconclusive: bool = False
    """There were jobs that fit, but others had them locked and may yet leave them."""


async def claim(
    session: Writing,
    lanes: Lanes,
    offer: Offer,
    *,
    at: datetime,
    only_own: bool,
    batch: Callable[[Request], int],
    most: int = 1,
    retry_pause: timedelta = RETRY_PAUSE,
) -> Found:
    """Give the worker the best waiting jobs it can serve. They are PROCESSING then.

    Jobs of the users in `offer.users` go first. Best is the smallest rank, then the oldest job.
    at: jobs of requests that expired before are ended instead of given.
    only_own: nothing but those users' jobs (a worker in maintenance).
    batch: the most jobs of this request the worker may take at once, at least 1.
    most: how many of them, each of one request.
    retry_pause: how long it does not get jobs again at which it failed.
    """
    users = best.many(session.engine, sorted(offer.users))
    state = (await session.execute(_STATE[session.engine], {"users": users})).one()
    await lanes.refresh(session, state.version)
    seeking = Seeking(session, offer, at, at - retry_pause)
    if not only_own:
        await seeking.look_into(lanes, state.parked)
    claims: list[Claim] = []
    while len(claims) < most:
        found = await _of_one_request(seeking, batch, own=state.own, only_own=only_own)
        if found is None:
            break
        claims.append(found)
    return Found(claims, inconclusive=seeking.inconclusive and not claims)


async def _of_one_request(
    seeking: Seeking, batch: Callable[[Request], int], *, own: bool, only_own: bool
) -> Claim | None:
    session, at = seeking.session, seeking.at
    for _ in range(TRIES):
        head = await seeking.head(own=own, only_own=only_own)
        if head is None:
            return None
        request = await _request(session, head.request_id)
        if request.expires_at > at and not (request.cancelled_at or request.faulted_at):
            break
        await requests.put_away(session, head.id, request, at)
    else:
        seeking.inconclusive = True
        return None
    more = batch(request) - 1
    rest = await _continue(session, head, more) if more > 0 else []
    return Claim([head, *rest], request)


async def _request(session: Reading, request_id: UUID) -> Request:
    row = (await session.execute(_REQUEST, {"id": request_id})).mappings().one()
    return Request(**row)


def _state(engine: str) -> Select[Any]:
    """The versions of the lanes, and whether a job of `users` waits."""
    theirs = (
        select(_jobs.c.id)
        .where(_jobs.c.state == WAITING, best.is_among(engine, _jobs.c.user_id, "users"))
        .order_by(_jobs.c.user_id)  # for the index: else PostgreSQL hopes to meet one by reading on
        .limit(literal_column("1"))
    )
    own = theirs.scalar_subquery().is_not(None).label("own")
    state = select(_version.c.version, _version.c.parked, own)
    if engine == "sqlite":
        return state
    # From here on: a claim's statements need no values to be planned well, but PostgreSQL would
    # plan most of them anew each time, which takes longer than to run them.
    return state.add_columns(
        literal_column("set_config('plan_cache_mode', 'force_generic_plan', true)")
    )


_STATE = {engine: prepared(_state(engine)) for engine in ("sqlite", "postgresql")}
_REQUEST = prepared(select(_requests).where(_requests.c.id == bindparam("id")))


async def glimpse(session: Writing, lanes: Lanes, offer: Offer, *, at: datetime) -> Glimpse | None:
    """The job that this worker would have got, if there is one. Nothing is claimed."""
    nobody = best.many(session.engine, [])
    state = (await session.execute(_STATE[session.engine], {"users": nobody})).one()
    await lanes.refresh(session, state.version)
    seeking = Seeking(session, offer, at, at)
    await seeking.look_into(lanes, state.parked)
    job_id = await seeking.head_of_lanes()
    if job_id is None:
        return None
    job = (await session.execute(_JOB, {"id": job_id})).one()
    request = await _request(session, job.request_id)
    return Glimpse(request, job.number, job.feature) if request.expires_at > at else None


_JOB = prepared(
    select(_jobs.c.request_id, _jobs.c.number, _jobs.c.feature).where(_jobs.c.id == bindparam("id"))
)


async def _continue(session: Writing, head: Claimed, more: int) -> list[Claimed]:
    """Claim up to `more` jobs after the head while their seeds are consecutive."""
    following = (
        select(_jobs.c.id)
        .where(
            _jobs.c.request_id == head.request_id,
            _jobs.c.state == WAITING,
            _jobs.c.number.between(head.number + 1, head.number + more),
            (_jobs.c.seed - head.seed) == (_jobs.c.number - head.number),
        )
        .with_for_update(skip_locked=True)
    )
    rows = await session.execute(
        update(_jobs)
        .where(_jobs.c.id.in_(following))
        .values(state=JobState.PROCESSING)
        .returning(*best.TAKEN)
    )
    taken = sorted((Claimed(*row) for row in rows), key=lambda job: job.number)
    in_turn = [job for i, job in enumerate(taken) if job.number == head.number + 1 + i]
    if astray := [job.id for job in taken[len(in_turn) :]]:
        await session.execute(
            update(_jobs).where(_jobs.c.id.in_(astray)).values(state=JobState.WAITING)
        )
    return in_turn
