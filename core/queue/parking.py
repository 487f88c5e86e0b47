"""Jobs that nobody could serve lately wait aside, in one lane of each kind, and displace nothing.

A pop looks at them if its offer is new, and later at what was parked since; jobs that fit the offer
then get a lane of their own, for everybody. So a thousand requests for models that do not exist
cost the others no lane, and each worker one look.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from sqlalchemy import RowMapping, bindparam, select, update

from core.db import Reading, Writing, table
from core.queue import lane_rows, matching, moving
from core.queue.lane_rows import PARKED
from core.queue.lanes import Lanes
from core.queue.matching import Needs, Offer
from core.queue.rows import WaitingJob
from core.queue.tables import WAITING, Job, Lane, LaneVersion, RequestRow

WINDOW = 500
"""How many parked jobs are looked at in one statement."""

_jobs = table(Job)
_requests = table(RequestRow)
_lanes = table(Lane)
_version = table(LaneVersion)


class Released(NamedTuple):
    """What a look at parked jobs brought."""

    lanes: AbstractSet[int]
    """The lanes in which they are now."""
    is_all: bool
    """Nothing that fits is left; else others had it locked."""
    last: int
    """The last job that was looked at."""


async def lane_for(session: Writing, kind: str) -> int:
    """The id of the kind's parked lane; counts the parking.

    Transactions that park wait here for each other, so jobs are parked in the order of their ids.
    """
    await session.execute(_COUNT)
    return await lane_rows.add(session, f"{PARKED}:{kind}", {"kind": kind, PARKED: True})


_COUNT = (
    update(_version)
    .where(_version.c.id == 1)
    .values(version=_version.c.version + 1, parked=_version.c.parked + 1)
)


async def release(session: Writing, lanes: Lanes, offer: Offer, *, after: int) -> Released:
    """Give lanes of their own to the parked jobs behind this one that the offer serves.

    `lanes` learns of them after the commit, which may fail; and here of those to which others have
    moved jobs just now.
    """
    parked = lanes.parked.get(offer.kind)
    if parked is None:
        return Released(frozenset(), is_all=True, last=after)
    # One at a time: two that move the same jobs would wait for each other.
    await session.execute(
        select(_lanes.c.id).where(_lanes.c.id == parked).with_for_update(key_share=True)
    )
    await lanes.update(session)
    into, left = Counter[int](), 0
    while rows := await _parked_after(session, parked, after):
        after = rows[-1]["id"]
        fitting = _fitting(offer, rows)
        moved = await _move(session, lanes, parked, fitting)
        into += moved
        left += sum(map(len, fitting.values())) - moved.total()
        if len(rows) < WINDOW:
            break
    return Released(into.keys(), is_all=not left, last=after)


async def _parked_after(session: Reading, lane_id: int, job_id: int) -> Sequence[RowMapping]:
    rows = await session.execute(_PARKED, {"lane": lane_id, "after": job_id})
    return rows.mappings().all()


_PARKED = (
    select(_jobs.c.id, _jobs.c.request_id, _jobs.c.feature, _requests.c.needs)
    .join(_requests, _requests.c.id == _jobs.c.request_id)
    .where(
        _jobs.c.lane_id == bindparam("lane"),
        _jobs.c.state == WAITING,
        _jobs.c.id > bindparam("after"),
    )
    .order_by(_jobs.c.id)
    .limit(WINDOW)
)


def _fitting(offer: Offer, rows: Sequence[RowMapping]) -> dict[Needs, list[WaitingJob]]:
    fitting: dict[Needs, list[WaitingJob]] = defaultdict(list)
    for row in rows:
        needs = Needs.from_json(row["needs"]).of_job(row["feature"])
        if matching.accepts(needs, offer):
            fitting[needs].append(WaitingJob(id=row["id"], request_id=row["request_id"]))
    return fitting


async def _move(
    session: Writing, lanes: Lanes, parked: int, fitting: Mapping[Needs, Sequence[WaitingJob]]
) -> Counter[int]:
    """Move these jobs. Returns how many each lane got."""
    into: dict[int, list[WaitingJob]] = defaultdict(list)
    for needs, some in fitting.items():
        into[await lanes.lane_for(session, needs)] += some
    return await moving.move(session, parked, into)
