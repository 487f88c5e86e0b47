"""The claim: which job a worker gets. One statement a try, for each engine its best one.

What has to hold with many workers at once: no job is given twice, none waits for another worker's
transaction, and nobody is sent away empty while a job waits that fits. On PostgreSQL two obvious
statements fail the last (seen in races): locking one of the lanes' *heads* with SKIP LOCKED comes
back empty with one deep lane, choosing the best *lane* first does with many lanes of one job. So
the candidates are the first 8 jobs of each of the 32 lanes with the best heads, and the best of
those that is not locked is taken; where all are locked (a few batches in flight do that), the
reach is widened. On SQLite writers take turns: the best head is enough.

Where lanes leave doubt (a size near a worker's limit, a blacklist), jobs are looked at one by one
in windows by keyset, up to 200.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    Integer,
    Select,
    bindparam,
    exists,
    func,
    literal,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import AnyRow, table
from core.queue import matching
from core.queue.lanes import Lanes
from core.queue.matching import Needs, Offer
from core.queue.tables import Job, JobState, LaneVersion, Request

REACH = ((32, 8), (128, 64), (2000, 1000))
"""How many lanes, and heads of each, are candidates at the first, second, third try."""
WINDOW = 50
LOOKED_AT_MOST = 200
TRIES = 5
PUT_AWAY_AT_ONCE = 1000
"""Jobs of expired requests that a pop ends when it meets one."""

_jobs = table(Job)
_requests = table(Request)
_version = table(LaneVersion)


class Claimed(NamedTuple):
    """A job that is the caller's now."""

    id: int
    number: int
    seed: int
    things: int


class Claim(NamedTuple):
    """Jobs of one request whose seeds continue each other, and what the request says."""

    jobs: list[Claimed]
    request: AnyRow
    """A row of `requests`, all columns."""


async def claim(
    session: AsyncSession,
    lanes: Lanes,
    offer: Offer,
    *,
    at: datetime,
    only_own: bool,
    batch: Callable[[AnyRow], int],
) -> Claim | None:
    """Give the worker the best waiting jobs it can serve, or None. They are PROCESSING then.

    Jobs of the users in `offer.users` go first. Best is the smallest rank, then the oldest job.
    at: jobs of requests that expired before are ended instead of given.
    only_own: nothing but those users' jobs (a worker in maintenance).
    batch: the most jobs of this request the worker may take at once, at least 1.
    """
    state = (await session.execute(_STATE, {"users": sorted(offer.users) or [-1]})).one()
    await lanes.refresh(session, state.version)
    for _ in range(TRIES):
        head = await _head(session, lanes, offer, at, own=state.own, only_own=only_own)
        if head is None:
            return None
        request = (await session.execute(_REQUEST, {"id": head.request_id})).one()
        if request.expires_at > at and not (request.cancelled_at or request.faulted_at):
            break
        await _put_away(session, head, request, at)
    else:
        return None
    more = batch(request) - 1
    rest = await _continue(session, head, more) if more > 0 else []
    return Claim([Claimed(head.id, head.number, head.seed, head.things), *rest], request)


async def _head(
    session: AsyncSession,
    lanes: Lanes,
    offer: Offer,
    at: datetime,
    *,
    own: bool,
    only_own: bool,
) -> AnyRow | None:
    """The first job of the claim: of the worker's own users, else of the lanes."""
    if own:
        generous = replace(offer, only_covered=False)
        if head := await _inspect(session, generous, at, _jobs.c.user_id.in_(offer.users)):
            return head
    return None if only_own else await _from_lanes(session, lanes, offer, at)


_STATE = select(
    _version.c.version,
    exists()
    .where(
        _jobs.c.state == JobState.WAITING,
        _jobs.c.user_id.in_(bindparam("users", expanding=True)),
    )
    .label("own"),
)
_REQUEST = select(_requests).where(_requests.c.id == bindparam("id"))


async def _from_lanes(
    session: AsyncSession, lanes: Lanes, offer: Offer, at: datetime
) -> AnyRow | None:
    matched = lanes.matching(offer)
    if not matched.ids:
        return None
    if not matched.certain:
        return await _inspect(session, offer, at, _jobs.c.lane_id.in_(matched.ids))
    if session.get_bind().dialect.name == "sqlite":
        return (await session.execute(_TAKE_SQLITE, {"lanes": str(list(matched.ids))})).first()
    ids = list(matched.ids)
    for lanes_at_most, heads in REACH:
        reach = {"lanes": ids, "best": lanes_at_most, "heads": heads}
        if (taken := (await session.execute(_TAKE_POSTGRES, reach)).first()) is not None:
            return taken
        if not await session.scalar(_ANY_WAITING, {"lanes": ids}):
            return None  # else others hold all candidates locked
    return None


async def glimpse(
    session: AsyncSession, lanes: Lanes, offer: Offer, *, at: datetime
) -> AnyRow | None:
    """The request whose job this worker would have got, or None; nothing is claimed."""
    await lanes.update(session)
    matched = lanes.matching(offer)
    job = (
        await session.execute(
            select(_jobs.c.request_id)
            .join(_requests, _requests.c.id == _jobs.c.request_id)
            .where(
                _jobs.c.lane_id.in_(matched.ids),
                _jobs.c.state == JobState.WAITING,
                _requests.c.expires_at > at,
            )
            .order_by(_jobs.c.rank, _jobs.c.id)
            .limit(1)
        )
    ).first()
    if job is None:
        return None
    request = (await session.execute(_REQUEST, {"id": job.request_id})).one()
    return request if matching.accepts(_exact(request), offer) else None


async def _inspect(
    session: AsyncSession,
    offer: Offer,
    at: datetime,
    where: Any,  # noqa: ANN401 - a column expression
) -> AnyRow | None:
    """Take the best job whose exact needs fit, looking at up to 200 in windows by keyset."""
    after: tuple[int, int] | None = None
    for _ in range(LOOKED_AT_MOST // WINDOW):
        window = (
            select(_jobs.c.id, _jobs.c.rank, _requests.c.needs, _requests.c.prompt)
            .join(_requests, _requests.c.id == _jobs.c.request_id)
            .where(_jobs.c.state == JobState.WAITING, where, _requests.c.expires_at > at)
            .order_by(_jobs.c.rank, _jobs.c.id)
            .limit(WINDOW)
        )
        if after is not None:
            window = window.where(tuple_(_jobs.c.rank, _jobs.c.id) > tuple_(*map(literal, after)))
        rows = (await session.execute(window)).all()
        fitting = [row.id for row in rows if matching.accepts(_exact(row), offer)]
        if fitting and (taken := await _take(session, fitting)) is not None:
            return taken
        if len(rows) < WINDOW:
            return None
        after = (rows[-1].rank, rows[-1].id)
    return None


def _exact(row: AnyRow) -> Needs:
    return replace(Needs.from_json(row.needs), words=row.prompt.lower())


async def _take(session: AsyncSession, ids: Sequence[int]) -> AnyRow | None:
    first = (
        select(_jobs.c.id)
        .where(_jobs.c.id.in_(ids), _jobs.c.state == JobState.WAITING)
        .order_by(_jobs.c.rank, _jobs.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return (await session.execute(_taking(first))).first()


async def _continue(session: AsyncSession, head: AnyRow, more: int) -> list[Claimed]:
    """Claim up to `more` jobs after the head while their seeds go on by one."""
    following = (
        select(_jobs.c.id)
        .where(
            _jobs.c.request_id == head.request_id,
            _jobs.c.state == JobState.WAITING,
            _jobs.c.number.between(head.number + 1, head.number + more),
            (_jobs.c.seed - head.seed) == (_jobs.c.number - head.number),
        )
        .with_for_update(skip_locked=True)
    )
    rows = sorted(
        await session.execute(
            update(_jobs)
            .where(_jobs.c.id.in_(following))
            .values(state=JobState.PROCESSING)
            .returning(_jobs.c.id, _jobs.c.number, _jobs.c.seed, _jobs.c.things)
        ),
        key=lambda row: row.number,
    )
    in_turn = [row for i, row in enumerate(rows) if row.number == head.number + 1 + i]
    if astray := [row.id for row in rows[len(in_turn) :]]:
        await session.execute(
            update(_jobs).where(_jobs.c.id.in_(astray)).values(state=JobState.WAITING)
        )
    return [Claimed(*row) for row in in_turn]


async def _put_away(session: AsyncSession, taken: AnyRow, request: AnyRow, at: datetime) -> None:
    """End what waits of requests that are over, the claimed job with it.

    Upkeep, which comes once in a while, has not seen the expired ones yet. A job waits in a
    cancelled request where it was being claimed just then and the claim was rolled back.
    """
    is_expired = request.expires_at <= at
    waiting = (
        select(_jobs.c.id)
        .join(_requests, _requests.c.id == _jobs.c.request_id)
        .where(
            _jobs.c.state == JobState.WAITING,
            _requests.c.expires_at <= at if is_expired else _requests.c.id == request.id,
        )
        .limit(PUT_AWAY_AT_ONCE)
        .with_for_update(of=_jobs, skip_locked=True)  # others may be putting away the same
    )
    await session.execute(
        update(_jobs)
        .where((_jobs.c.id == taken.id) | _jobs.c.id.in_(waiting))
        .values(state=JobState.EXPIRED if is_expired else JobState.CANCELLED)
    )


def _taking(best: Select[tuple[int]]) -> Any:  # noqa: ANN401 - an UPDATE … RETURNING
    return (
        update(_jobs)
        .where(_jobs.c.id == best.scalar_subquery())  # "= (…)" runs once, "IN (…)" may run again
        .values(state=JobState.PROCESSING)
        .returning(_jobs.c.id, _jobs.c.request_id, _jobs.c.number, _jobs.c.seed, _jobs.c.things)
    )


def _first_of_lane(columns: Iterable[Any], lane_id: Any, n: Any) -> Select[Any]:  # noqa: ANN401
    return (
        select(*columns)
        .where(_jobs.c.lane_id == lane_id, _jobs.c.state == JobState.WAITING)
        .order_by(_jobs.c.rank, _jobs.c.id)
        .limit(n)
    )


def _take_sqlite() -> Any:  # noqa: ANN401
    lane = func.json_each(bindparam("lanes")).table_valued("value", name="lane")
    head = _first_of_lane([_jobs.c.id], lane.c.value, 1).scalar_subquery()
    heads = select(head.label("id")).select_from(lane).cte("heads")
    best = (
        select(_jobs.c.id)
        .join(heads, heads.c.id == _jobs.c.id)
        .order_by(_jobs.c.rank, _jobs.c.id)
        .limit(1)
    )
    return _taking(best)


def _take_postgres() -> Any:  # noqa: ANN401
    lane = func.unnest(_LANES).table_valued("id", name="lane").render_derived()
    head = _first_of_lane([_jobs.c.id, _jobs.c.rank, _jobs.c.lane_id], lane.c.id, 1).lateral("head")
    top = (
        select(head.c.lane_id)
        .select_from(lane.join(head, true()))
        .order_by(head.c.rank, head.c.id)
        .limit(bindparam("best", type_=Integer))
        .cte("top")
    )
    heads = bindparam("heads", type_=Integer)
    some = _first_of_lane([_jobs.c.id, _jobs.c.rank], top.c.lane_id, heads).lateral("some")
    candidate = select(some.c.id, some.c.rank).select_from(top.join(some, true())).cte("candidate")
    best = (
        select(_jobs.c.id)
        .join(candidate, candidate.c.id == _jobs.c.id)
        .where(_jobs.c.state == JobState.WAITING)
        .order_by(candidate.c.rank, candidate.c.id)
        .limit(1)
        .with_for_update(of=_jobs, skip_locked=True)
    )
    return _taking(best)


_LANES = bindparam("lanes", type_=ARRAY(Integer))
_TAKE_SQLITE = _take_sqlite()
_TAKE_POSTGRES = _take_postgres()
_ANY_WAITING = select(
    exists().where(_jobs.c.lane_id == func.any(_LANES), _jobs.c.state == JobState.WAITING)
)
