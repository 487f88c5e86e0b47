"""Queue position and waiting time: estimates from what is known.

Ahead of a request are the jobs of better rank in the lanes that the same workers may serve; the
pace of those workers' last jobs says how long they take.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import NamedTuple

from core.db import Reading
from core.queue import best, places
from core.queue.crews import Crews, Workers
from core.queue.lanes import Lanes
from core.queue.pace import MIN_SECONDS
from core.queue.waiting import WaitingCounts

MAX_COUNTED = 2000
"""The most jobs ahead that are counted; beyond, a position is a lower bound, which is harmless."""

MAX_CREWS = 8
"""The most groups of workers that are distinguished: enough for a good and cheap estimate."""


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
    counts: WaitingCounts,
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
    counts: WaitingCounts,
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
    groups = chain.from_iterable(map(crews.in_turn, _crews([*own, *ahead])))
    free = {crew: crews.busy(crew, at) / crews.threads(crew) for crew in groups}
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
