"""The claim: which job a worker gets. One statement for each try, the best one for each engine.

With many workers at once, no job may be given twice, none may wait for another worker's
transaction, and no worker may be sent away while a job waits that fits it. On PostgreSQL two
obvious statements fail the last (seen in races): locking one of the lanes' *heads* with SKIP LOCKED
comes back empty with one deep lane, choosing the best *lane* first does with many lanes of one job.
So the candidates are the first 8 jobs of each of the 32 lanes with the best heads, and the best of
those that is not locked is taken; if all are locked (a few batches in flight do that), the reach is
widened. On SQLite writers take turns: the best head is enough. A worker that may serve many lanes
need mostly not look into them: its best job is among the first of the whole queue.

If lanes leave doubt (a blacklist, a size within a class), the statement looks at each job's exact
needs. Only jobs in the catch-all, and those of the worker's own users, are looked at here, in
windows by keyset, to the last.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain, repeat
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, bindparam, literal_column, select, update

from core.db import AnyRow, Reading, Writing, table
from core.prepared import prepared
from core.queue import best, matching, parking, requests, windows
from core.queue.lanes import Lanes, Matched
from core.queue.matching import Needs, Offer
from core.queue.rows import Request
from core.queue.tables import WAITING, Job, JobState, LaneVersion, RequestRow

FEW_LANES = 8
"""So many are looked into at once; with more, the front of the whole queue comes first."""
FRONT = 64
"""Jobs of the whole queue that are looked at then: most often one of them fits."""
REACH = ((32, 8), (128, 64), (2000, 1000))
"""How many lanes, and heads of each, are candidates at the first, second, third try."""
WINDOW_SIZES = (10, 50, 250)
"""How many jobs are looked at one by one: few at first, as most often one of them fits."""
TRIES = 5
RETRY_PAUSE = timedelta(seconds=10)
"""How long a job is kept from a worker that failed at it, if no other worker might make it."""
NOBODY = UUID(int=0)

_jobs = table(Job)
_requests = table(RequestRow)
_version = table(LaneVersion)


class Claimed(NamedTuple):
    """A job that is the caller's now."""

    id: int
    number: int
    seed: int
    things: int
    feature: str | None = None


class Claim(NamedTuple):
    """Jobs of one request with consecutive seeds, and the request."""

    jobs: list[Claimed]
    request: Request


async def claim(
    session: Writing,
    lanes: Lanes,
    offer: Offer,
    *,
    at: datetime,
    only_own: bool,
    batch: Callable[[Request], int],
    retry_pause: timedelta = RETRY_PAUSE,
) -> Claim | None:
    """Give the worker the best waiting jobs it can serve, or None. They are PROCESSING then.

    Jobs of the users in `offer.users` go first. Best is the smallest rank, then the oldest job.
    at: jobs of requests that expired before are ended instead of given.
    only_own: nothing but those users' jobs (a worker in maintenance).
    batch: the most jobs of this request the worker may take at once, at least 1.
    retry_pause: how long it does not get jobs again at which it failed.
    """
    users = best.many(session.engine, sorted(offer.users))
    state = (await session.execute(_STATE[session.engine], {"users": users})).one()
    await lanes.refresh(session, state.version)
    matched = Matched() if only_own else await _matched(session, lanes, offer, state.parked)
    seeking = _Seeking(session, matched, offer, at, at - retry_pause)
    for _ in range(TRIES):
        head = await seeking.head(own=state.own, only_own=only_own)
        if head is None:
            return None
        request = await _request(session, head.request_id)
        if request.expires_at > at and not (request.cancelled_at or request.faulted_at):
            break
        await requests.put_away(session, head.id, request, at)
    else:
        return None
    more = batch(request) - 1
    rest = await _continue(session, head, more) if more > 0 else []
    first = Claimed(head.id, head.number, head.seed, head.things, head.feature)
    return Claim([first, *rest], request)


async def _request(session: Reading, request_id: UUID) -> Request:
    row = (await session.execute(_REQUEST, {"id": request_id})).mappings().one()
    return Request(**row)


async def _matched(session: Writing, lanes: Lanes, offer: Offer, parked: int) -> Matched:
    """The lanes that may hold a job for the offer, including jobs that were parked until now."""
    matched = lanes.matching(offer)
    if lanes.looks.is_due(offer, parked):
        released = await parking.release(session, lanes, offer)
        matched = matched.with_released(released, in_doubt=bool(offer.blacklist))
    return matched


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


class _Seeking:
    """The search for one worker's best job."""

    def __init__(
        self, session: Writing, matched: Matched, offer: Offer, at: datetime, retry: datetime
    ) -> None:
        """retry: jobs at which the worker failed since then are kept from it."""
        self._session, self._matched, self._offer, self._at = session, matched, offer, at
        self._engine = session.engine
        worker = UUID(offer.worker_id) if offer.worker_id else NOBODY
        self._place = {"worker": worker, "retry": retry, "at": at}

    async def head(self, *, own: bool, only_own: bool) -> AnyRow | None:
        """Take the first job of the claim: of the worker's own users, else of the lanes."""
        if own:
            generous = replace(self._offer, only_covered=False)
            theirs = {"users": sorted(self._offer.users)}
            if head := await self._look_through(generous, windows.OF_USERS, theirs):
                return head
        return None if only_own else await self._of_lanes()

    async def _of_lanes(self) -> AnyRow | None:
        matched = self._matched
        if matched.catch_all is not None:
            among = {"lane": matched.catch_all, "before": await self.head_of_lanes()}
            taken = await self._look_through(self._offer, windows.OF_LANE, among)
            if taken is not None:
                return taken
        ids = matched.certain + matched.doubtful
        return await self._best(ids, in_doubt=bool(matched.doubtful)) if ids else None

    async def _best(self, ids: tuple[int, ...], *, in_doubt: bool) -> AnyRow | None:
        """Take the best job of these lanes that fits."""
        place = self._lanes_place(ids, in_doubt=in_doubt)
        take = best.TAKES[self._engine, in_doubt]
        if len(ids) > FEW_LANES:
            of_front = best.TAKES_OF_FRONT[self._engine, in_doubt]
            first = place | {"front": FRONT}
            if (taken := (await self._session.execute(of_front, first)).first()) is not None:
                return taken
        if self._engine == "sqlite":
            return (await self._session.execute(take, place)).first()
        for max_lanes, heads in REACH:
            reach = place | {"best": max_lanes, "heads": heads}
            taken = (await self._session.execute(take, reach)).one()
            if taken.id is not None:
                return taken
            if not taken.any_fits:
                return None  # else others hold all candidates locked
        return None

    async def head_of_lanes(self) -> int | None:
        """The id of the job that would be taken from the lanes, without the catch-all."""
        matched = self._matched
        ids = matched.certain + matched.doubtful
        place = self._lanes_place(ids, in_doubt=True)
        of_front = best.FRONTS[self._engine, True]
        found: int | None = await self._session.scalar(of_front, place | {"front": FRONT})
        if found is None:
            place |= {"best": 1, "heads": 1}
            found = await self._session.scalar(best.HEADS[self._engine, True], place)
        return found

    def _lanes_place(self, ids: tuple[int, ...], *, in_doubt: bool) -> dict[str, Any]:
        place = self._place | {"lanes": best.lanes_for(self._engine, ids)}
        return place | best.fits_for(self._engine, self._offer) if in_doubt else place

    async def _look_through(
        self, offer: Offer, statement: Select[Any], among: dict[str, Any]
    ) -> AnyRow | None:
        """Take the best job whose exact needs fit, looking at them in windows by keyset.

        statement: one of `windows`. among: its parameters that select the jobs.
        """
        after = windows.FIRST
        for size in chain(WINDOW_SIZES, repeat(WINDOW_SIZES[-1])):
            place = {"size": size, **after, **among, **self._place}
            rows = (await self._session.execute(statement, place)).all()
            fitting = [
                row.id
                for row in rows
                if row.expires_at > self._at and matching.accepts(_exact(row), offer)
            ]
            if fitting:
                taken = (await self._session.execute(windows.TAKE_ONE_OF, {"ids": fitting})).first()
                if taken is not None:
                    return taken
            if len(rows) < size:
                return None
            after = {"rank": rows[-1].rank, "job": rows[-1].id}
        return None


async def glimpse(
    session: Writing, lanes: Lanes, offer: Offer, *, at: datetime
) -> tuple[Request, AnyRow] | None:
    """The request whose job this worker would have got, and that job, or None.

    Nothing is claimed. Of the job: `number` and `feature`.
    """
    nobody = best.many(session.engine, [])
    state = (await session.execute(_STATE[session.engine], {"users": nobody})).one()
    await lanes.refresh(session, state.version)
    matched = await _matched(session, lanes, offer, state.parked)
    job_id = await _Seeking(session, matched, offer, at, at).head_of_lanes()
    if job_id is None:
        return None
    row = (await session.execute(_JOB, {"id": job_id})).one()
    request = await _request(session, row.request_id)
    return (request, row) if request.expires_at > at else None


_JOB = prepared(select(_jobs).where(_jobs.c.id == bindparam("id")))


def _exact(row: AnyRow) -> Needs:
    return replace(Needs.from_json(row.needs).of_job(row.feature), words=row.words)


async def _continue(session: Writing, head: AnyRow, more: int) -> list[Claimed]:
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
