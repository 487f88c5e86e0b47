"""Queue position, waiting time and skip counts: estimates that say only what is known.

What is ahead of a request are the jobs of better rank in the lanes that the same workers would
serve, and how fast they go is those workers' measured speed.
"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Integer, bindparam, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import table
from core.queue import matching
from core.queue.lanes import Lanes
from core.queue.matching import Needs, Offer
from core.queue.tables import WAITING, Job, Request

MAX_COUNTED = 2000
"""Jobs ahead that are counted; beyond, a position is a lower bound and nobody minds."""

COUNTS_SECONDS = 1.0

_jobs = table(Job)
_requests = table(Request)


class OnlineWorker(NamedTuple):
    """A worker that is online."""

    offer: Offer
    speed: float
    """Things a second of one thread."""
    threads: int


class Outlook(NamedTuple):
    """What a waiting request has to expect."""

    possible: bool
    """Some worker that is online may serve it."""
    position: int
    """From 1 among waiting requests."""
    seconds: int
    """Until its last waiting job is done."""


async def outlook(
    session: AsyncSession,
    lanes: Lanes,
    servers: Sequence[OnlineWorker],
    needs: Needs,
    *,
    rank: int,
    job_id: int,
    things: int,
    usual_speed: float,
) -> Outlook:
    """Look ahead for a request whose first waiting job has this rank and id.

    things: of all its waiting jobs. usual_speed: things a second, where no worker is known.
    """
    able = [server for server in servers if matching.accepts(needs, server.offer)]
    await lanes.update(session)
    ids = {lane for server in able for lane in lanes.matching(server.offer).ids}
    place = {"lanes": sorted(ids) or [-1], "rank": rank, "job": job_id, "most": MAX_COUNTED}
    requests, amount = (await session.execute(_AHEAD, place)).one()
    speed = sum(server.speed * server.threads for server in able) or usual_speed
    return Outlook(bool(able), requests + 1, round((int(amount) + things) / speed))


_ahead = (
    select(_jobs.c.request_id, _jobs.c.things)
    .where(
        _jobs.c.state == WAITING,
        _jobs.c.lane_id.in_(bindparam("lanes", expanding=True)),
        tuple_(_jobs.c.rank, _jobs.c.id)
        < tuple_(
            bindparam("rank", type_=_jobs.c.rank.type), bindparam("job", type_=_jobs.c.id.type)
        ),
    )
    .limit(bindparam("most", type_=Integer()))
    .subquery()
)
_AHEAD = select(
    func.count(func.distinct(_ahead.c.request_id)), func.coalesce(func.sum(_ahead.c.things), 0)
)


@dataclass(slots=True)
class WaitingCounts:
    """Waiting jobs and their size by lane, read anew at most once a second in a process.

    With a deep queue reading takes longer, and is done less often: at most 5 % of the time.
    """

    read_at: float = -1e9
    took: float = 0.0
    is_stale: bool = False
    """Something was asked for since."""
    jobs: Mapping[int, int] = field(default_factory=dict)
    things: Mapping[int, int] = field(default_factory=dict)
    parked: Sequence[tuple[Needs, int]] = ()
    """What nobody could serve, and how many jobs of it wait."""

    async def refresh(self, session: AsyncSession, lanes: Lanes, *, fresh: bool = False) -> None:
        """Count again where the counts are old.

        fresh: also where they are young, if something was asked for since.
        """
        start = time.monotonic()
        rests = 20 * self.took if fresh and self.is_stale else max(COUNTS_SECONDS, 20 * self.took)
        if start - self.read_at < rests:
            return
        self.is_stale = False
        rows = (await session.execute(_COUNTS)).all()
        self.jobs = {row.lane_id: row.jobs for row in rows}
        self.things = {row.lane_id: int(row.things) for row in rows}
        parked = [lane for lane in lanes.parked.values() if lane in self.jobs]
        self.parked = await _parked(session, parked) if parked else ()
        is_first, self.read_at = self.read_at < 0, time.monotonic()
        self.took = 0.0 if is_first else self.read_at - start  # the first prepares statements

    def skipped(self, lanes: Lanes, offer: Offer) -> dict[str, int]:
        """How many waiting jobs each condition keeps from this offer, for which nothing was found.

        So what waits in a lane that is in doubt is kept back by its sizes or its words.
        """
        counts: Counter[str] = Counter()
        doubtful = lanes.matching(offer).doubtful
        for lane_id, needs in lanes.least_needs().items():
            if (waiting := self.jobs.get(lane_id, 0)) and needs.kind == offer.kind:
                self._count(counts, needs, offer, waiting)
        for lane_id in doubtful:
            if waiting := self.jobs.get(lane_id, 0):
                largest = matching.reasons(lanes.largest_needs(lane_id), offer)
                counts.update(dict.fromkeys(largest, waiting))
                if offer.blacklist:
                    counts["blacklist"] += waiting
        for needs, waiting in self.parked:
            if needs.kind == offer.kind:
                self._count(counts, needs, offer, waiting)
        return dict(counts)

    @staticmethod
    def _count(counts: Counter[str], needs: Needs, offer: Offer, waiting: int) -> None:
        counts.update(dict.fromkeys(matching.reasons(needs, offer), waiting))


async def _parked(session: AsyncSession, lane_ids: Sequence[int]) -> Sequence[tuple[Needs, int]]:
    rows = await session.execute(_PARKED, {"lanes": lane_ids})
    return [(Needs.from_json(row.needs).of_job(row.feature), row.jobs) for row in rows]


_PARKED = (
    select(_requests.c.needs, _jobs.c.feature, func.count().label("jobs"))
    .join(_requests, _requests.c.id == _jobs.c.request_id)
    .where(_jobs.c.state == WAITING, _jobs.c.lane_id.in_(bindparam("lanes", expanding=True)))
    .group_by(_requests.c.needs, _jobs.c.feature)
    .order_by(func.count().desc())
    .limit(MAX_COUNTED)
)
_COUNTS = (
    select(
        _jobs.c.lane_id,
        func.count().label("jobs"),
        func.sum(_jobs.c.things).label("things"),
    )
    .where(_jobs.c.state == WAITING)
    .group_by(_jobs.c.lane_id)
)
