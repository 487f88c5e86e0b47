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

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import AnyRow, table
from core.queue import best, matching
from core.queue.lanes import Lanes
from core.queue.matching import Needs, Offer
from core.queue.tables import WAITING, Job, JobState, LaneVersion, Request

REACH = ((32, 8), (128, 64), (2000, 1000))
"""How many lanes, and heads of each, are candidates at the first, second, third try."""
WINDOWS = (10, 40, 50, 50, 50)
"""How many jobs are looked at in doubt: few at first, as most often one of them fits."""
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
    feature: str | None = None


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
    first = Claimed(head.id, head.number, head.seed, head.things, head.feature)
    return Claim([first, *rest], request)


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
        theirs = {"users": sorted(offer.users)}
        if head := await _inspect(session, generous, at, best.WINDOW_OF_USERS, theirs):
            return head
    return None if only_own else await _from_lanes(session, lanes, offer, at)


_STATE = select(
    _version.c.version,
    exists()
    .where(
        _jobs.c.state == WAITING,
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
    engine = session.get_bind().dialect.name
    ids = {"lanes": best.lanes_for(engine, matched.ids)}
    if not matched.certain:
        return await _inspect(session, offer, at, best.WINDOWS[engine], ids)
    if engine == "sqlite":
        return (await session.execute(best.TAKE_SQLITE, ids)).first()
    for lanes_at_most, heads in REACH:
        reach = ids | {"best": lanes_at_most, "heads": heads}
        if (taken := (await session.execute(best.TAKE_POSTGRESQL, reach)).first()) is not None:
            return taken
        if not await session.scalar(best.ANY_WAITING, ids):
            return None  # else others hold all candidates locked
    return None


async def glimpse(
    session: AsyncSession, lanes: Lanes, offer: Offer, *, at: datetime
) -> tuple[AnyRow, AnyRow] | None:
    """The request whose job this worker would have got, and that job, or None.

    Nothing is claimed. Of the job: `number` and `feature`.
    """
    await lanes.update(session)
    engine = session.get_bind().dialect.name
    ids = {"lanes": best.lanes_for(engine, lanes.matching(offer).ids)}
    place = {"size": WINDOWS[-1], **best.FIRST, **ids}
    rows = (await session.execute(best.WINDOWS[engine], place)).all()
    row = next((row for row in rows if row.expires_at > at), None)
    if row is None or not matching.accepts(_exact(row), offer):
        return None
    return (await session.execute(_REQUEST, {"id": row.request_id})).one(), row


async def _inspect(
    session: AsyncSession,
    offer: Offer,
    at: datetime,
    windows: Select[Any],
    among: dict[str, Any],
) -> AnyRow | None:
    """Take the best job whose exact needs fit, looking at up to 200 in windows by keyset.

    windows: one of the statements of `best`, and `among`: its parameters that say which jobs.
    """
    after = best.FIRST
    for size in WINDOWS:
        place = {"size": size, **after, **among}
        rows = (await session.execute(windows, place)).all()
        fitting = [
            row.id for row in rows if row.expires_at > at and matching.accepts(_exact(row), offer)
        ]
        if fitting:
            taken = (await session.execute(best.TAKE_ONE_OF, {"ids": fitting})).first()
            if taken is not None:
                return taken
        if len(rows) < size:
            return None
        after = {"rank": rows[-1].rank, "job": rows[-1].id}
    return None


def _exact(row: AnyRow) -> Needs:
    needs = Needs.from_json(row.needs).of_job(row.feature)
    return replace(needs, words=row.prompt.lower())


async def _continue(session: AsyncSession, head: AnyRow, more: int) -> list[Claimed]:
    """Claim up to `more` jobs after the head while their seeds go on by one."""
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
            _jobs.c.state == WAITING,
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
