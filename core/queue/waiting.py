"""How many jobs wait in each lane, and what keeps them from an offer: the skip counts."""

import time
from collections import Counter, OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from sqlalchemy import bindparam, func, select

from core.db import Reading, table
from core.queue import matching
from core.queue.lanes import Lanes
from core.queue.matching import Needs, Offer
from core.queue.tables import WAITING, Job, RequestRow

COUNTS_SECONDS = 1.0
MAX_SORTS = 2000
"""The most sorts of parked jobs that are told apart."""
REMEMBERED_OFFERS = 256

Reasons: TypeAlias = tuple[str, ...]

_jobs = table(Job)
_requests = table(RequestRow)


class Parked(NamedTuple):
    """Parked jobs with the same needs: how many, and their size in things."""

    needs: Needs
    jobs: int
    things: int


class Refusals:
    """Why offers do not get the jobs of lanes. A lane's needs never change, so it is remembered."""

    def __init__(self) -> None:
        self._remembered: OrderedDict[Offer, dict[int, Reasons]] = OrderedDict()

    def of(self, offer: Offer, lanes: Lanes, ids: Collection[int]) -> Mapping[int, Reasons]:
        """The conditions that keep the jobs of each of these lanes from the offer."""
        known = self._remembered.get(offer, {})
        found = {lane_id: known[lane_id] for lane_id in ids if lane_id in known}
        if new := [lane_id for lane_id in ids if lane_id not in known]:
            found |= _refusals(offer, lanes, new)
        self._remembered[offer] = found
        self._remembered.move_to_end(offer)
        if len(self._remembered) > REMEMBERED_OFFERS:
            self._remembered.popitem(last=False)
        return found


def _refusals(offer: Offer, lanes: Lanes, ids: Iterable[int]) -> dict[int, Reasons]:
    needs, doubtful = lanes.least_needs(), set(lanes.matching(offer).doubtful)
    found = {}
    for lane_id in ids:
        its = needs.get(lane_id)
        if its is None:
            continue
        reasons = matching.reasons(its, offer) if its.kind == offer.kind else []
        if lane_id in doubtful:  # nothing of it was found to fit: its sizes do not, or its words
            reasons += matching.reasons(lanes.largest_needs(lane_id), offer)
            reasons += ["blacklist"] if offer.blacklist else []
        found[lane_id] = tuple(dict.fromkeys(reasons))
    return found


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
    parked: Sequence[Parked] = ()
    _refusals: Refusals = field(default_factory=Refusals)

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
        """How many waiting jobs each condition keeps from this offer, after a pop found nothing."""
        counts: Counter[str] = Counter()
        for lane_id, reasons in self._refusals.of(offer, lanes, self.jobs).items():
            for reason in reasons:
                counts[reason] += self.jobs[lane_id]
        for parked in self.parked:
            if parked.needs.kind == offer.kind:
                counts.update(dict.fromkeys(matching.reasons(parked.needs, offer), parked.jobs))
        return dict(counts)


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
    .limit(MAX_SORTS)
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
