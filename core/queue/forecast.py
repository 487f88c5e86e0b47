"""Queue position, waiting time and skip counts: estimates from what is known.

Ahead of a request are the jobs of better rank in the lanes that the same workers may serve; the
pace of those workers' last jobs says how long they take.
"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, func, select

from core.db import Reading, table
from core.queue import best, matching, places
from core.queue.crews import Crews, Workers
from core.queue.lanes import Lanes
from core.queue.matching import Needs, Offer
from core.queue.pace import MIN_SECONDS
from core.queue.tables import WAITING, Job, Request

MAX_COUNTED = 2000
"""The most jobs ahead that are counted; beyond, a position is a lower bound, which is harmless."""

MAX_CREWS = 8
"""The most groups of workers that are distinguished: enough for a good and cheap estimate."""

COUNTS_SECONDS = 1.0

_jobs = table(Job)
_requests = table(Request)


class Outlook(NamedTuple):
    """The outlook of a waiting request."""

    possible: bool
    """Some worker that is online may serve it."""
    position: int
    """From 1 among waiting requests."""
    seconds: int
    """Until its last job is done, if it is possible."""


class Jobs(NamedTuple):
    """Waiting jobs that the same workers may serve."""

    workers: Workers
    models: frozenset[str]
    number: int
    things: int


class Place(NamedTuple):
    """A place in the queue: jobs with smaller ones are ahead."""

    rank: int
    job_id: int


async def outlook(
    session: Reading,
    lanes: Lanes,
    crews: Crews,
    kind: str,
    own: Sequence[Jobs],
    place: Place,
    counts: "WaitingCounts",
    *,
    at: datetime,
) -> Outlook:
    """Look ahead for a request whose first waiting job is at this place.

    own: its waiting jobs. counts: used for the time if too many are ahead to be counted. The
        contents of the lanes are known as of their last refresh.
    """
    able = 0
    for jobs in own:
        able |= jobs.workers
    if not able:
        return Outlook(possible=False, position=1, seconds=0)
    requests, ahead = await _ahead_of(session, lanes, crews, able, place)
    if sum(jobs.number for jobs in ahead) >= MAX_COUNTED:
        await counts.refresh(session, lanes)
        ahead = await _deep_ahead_of(session, lanes, crews, able, place, counts) or ahead
    own = [jobs for jobs in own if jobs.workers]
    seconds = wait(crews, kind, ahead, own, at)
    return Outlook(possible=True, position=requests + 1, seconds=max(1, round(seconds)))


async def _ahead_of(
    session: Reading, lanes: Lanes, crews: Crews, able: Workers, place: Place
) -> tuple[int, list[Jobs]]:
    """How many requests are ahead in the lanes that these workers may serve, and their jobs."""
    engine = session.engine
    ids = crews.roster.shared(lanes, able)
    if not ids:
        return 0, []
    among = {"lanes": best.lanes_for(engine, ids), "most": MAX_COUNTED, **place._asdict()}
    served = crews.roster.served(lanes)
    rows = (await session.execute(places.AHEAD[engine], among)).all()
    ahead = [Jobs(*served[row.lane_id], row.jobs, int(row.things)) for row in rows]
    return (rows[0].requests if rows else 0), ahead


async def _deep_ahead_of(
    session: Reading,
    lanes: Lanes,
    crews: Crews,
    able: Workers,
    place: Place,
    counts: "WaitingCounts",
) -> list[Jobs]:
    """Estimate what is ahead if it is too much to count: what waits, less what is behind.

    If that is too much as well, half of what waits.
    """
    engine = session.engine
    ids = [lane_id for lane_id in crews.roster.shared(lanes, able) if counts.jobs.get(lane_id)]
    among = {"lanes": best.lanes_for(engine, ids), "most": MAX_COUNTED, **place._asdict()}
    served = crews.roster.served(lanes)
    behind = await session.scalar(places.BEHIND[engine], among) or 0
    waiting = max(1, sum(counts.jobs[lane_id] for lane_id in ids))
    share = 0.5 if behind >= MAX_COUNTED else max(0.0, 1 - behind / waiting)
    share = max(share, min(1.0, MAX_COUNTED / waiting))
    return [
        Jobs(
            *served[lane_id],
            max(1, round(counts.jobs[lane_id] * share)),
            round(counts.things[lane_id] * share),
        )
        for lane_id in ids
    ]


def wait(
    crews: Crews, kind: str, ahead: Sequence[Jobs], own: Sequence[Jobs], at: datetime
) -> float:
    """The seconds until these workers have done the jobs ahead and then the request's own.

    They finish their running jobs, then each takes the next job that it may. So the jobs ahead are
    shared out, those with the least choice first, such that the workers sharing them finish
    together.
    """
    free = {crew: crews.busy(crew, at) / crews.threads(crew) for crew in _crews([*own, *ahead])}
    for jobs in sorted(ahead, key=lambda jobs: crews.threads(jobs.workers)):
        _fill(free, _rates(crews, kind, free, jobs), jobs.number)
    longest = 0.0
    for jobs in own:
        rates = _rates(crews, kind, free, jobs)
        threads = sum(crews.threads(crew) for crew in rates)
        takes = {crew: crews.threads(crew) / rate for crew, rate in rates.items()}
        crew = min(rates, key=lambda crew: free[crew] + takes[crew])
        first = free[crew] + takes[crew]
        _fill(free, rates, jobs.number)
        # At the end not all workers are busy: a job cannot be shared.
        last = min(free[each] for each in rates) + takes[crew] * (1 - 1 / threads) / 2
        longest = max(longest, first, last)
    return longest


def _crews(all_jobs: Sequence[Jobs]) -> list[Workers]:
    """The workers, grouped by which of these jobs they may serve, up to MAX_CREWS groups."""
    everybody = 0
    for jobs in all_jobs:
        everybody |= jobs.workers
    crews = [everybody]
    for workers in dict.fromkeys(jobs.workers for jobs in all_jobs):
        if len(crews) >= MAX_CREWS:
            break
        crews = [part for crew in crews for part in (crew & workers, crew & ~workers) if part]
    return crews


def _rates(crews: Crews, kind: str, among: Iterable[Workers], jobs: Jobs) -> dict[Workers, float]:
    """How many of these jobs a second each crew does, if it may serve them."""
    size = jobs.things / jobs.number
    return {
        crew: 1 / max(crews.pace(crew, kind, jobs.models).seconds(1, size), MIN_SECONDS)
        for crew in among
        if crew & jobs.workers
    }


def _fill(free: dict[Workers, float], rates: Mapping[Workers, float], count: float) -> None:
    """Let the crews do so many jobs and finish together; crews that are busy longer do none."""
    done, speed, since = 0.0, 0.0, 0.0
    for crew in sorted(rates, key=lambda crew: free[crew]):
        if speed and done + speed * (free[crew] - since) >= count:
            break
        done, since = done + speed * (free[crew] - since), free[crew]
        speed += rates[crew]
    until = since + (count - done) / speed
    for crew in rates:
        free[crew] = max(free[crew], until)


@dataclass(slots=True)
class WaitingCounts:
    """Waiting jobs and their size by lane, read at most once a second in each process.

    With a deep queue, reading takes longer and is done less often: at most 5 % of the time.
    """

    read_at: float = -1e9
    took: float = 0.0
    is_stale: bool = False
    """Whether something was asked for since."""
    jobs: Mapping[int, int] = field(default_factory=dict)
    things: Mapping[int, int] = field(default_factory=dict)
    parked: Sequence["Parked"] = ()

    async def refresh(self, session: Reading, lanes: Lanes, *, fresh: bool = False) -> None:
        """Count again if the counts are old.

        fresh: even if they are young, if something was asked for since.
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
        """How many waiting jobs each condition keeps from this offer, after a pop found nothing.

        So jobs in a lane in doubt are kept back by their sizes or their words.
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
        for parked in self.parked:
            if parked.needs.kind == offer.kind:
                self._count(counts, parked.needs, offer, parked.jobs)
        return dict(counts)

    @staticmethod
    def _count(counts: Counter[str], needs: Needs, offer: Offer, waiting: int) -> None:
        counts.update(dict.fromkeys(matching.reasons(needs, offer), waiting))


class Parked(NamedTuple):
    """Parked jobs with the same needs: how many, and their size in things."""

    needs: Needs
    jobs: int
    things: int


async def _parked(session: Reading, lane_ids: Sequence[int]) -> Sequence[Parked]:
    rows = await session.execute(_PARKED, {"lanes": lane_ids})
    return [
        Parked(Needs.from_json(row.needs).of_job(row.feature), row.jobs, int(row.things))
        for row in rows
    ]


_PARKED = (
    select(
        _requests.c.needs,
        _jobs.c.feature,
        func.count().label("jobs"),
        func.sum(_jobs.c.things).label("things"),
    )
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
