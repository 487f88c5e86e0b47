"""Jobs that nobody could serve lately wait aside, in one lane of each kind, and displace nothing.

A pop looks at them only if its offer is new, if more was parked since, or every 10 s; jobs that fit
the offer then get a lane of their own, for everybody. So a thousand requests for models that do not
exist cost the others no lane and hardly a look.
"""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import bindparam, select, update

from core.db import AnyRow, Writing, table
from core.queue import lane_rows, matching, moving
from core.queue.lane_rows import PARKED
from core.queue.lanes import Lanes
from core.queue.matching import Needs, Offer
from core.queue.tables import WAITING, Job, Lane, LaneVersion, RequestRow

WINDOW = 500
"""How many parked jobs are looked at in one statement."""

_jobs = table(Job)
_requests = table(RequestRow)
_lanes = table(Lane)
_version = table(LaneVersion)


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


async def release(session: Writing, lanes: Lanes, offer: Offer) -> set[int]:
    """Give lanes of their own to the parked jobs that this offer serves.

    Returns their lanes. `lanes` learns of them after the commit, which may fail.
    """
    parked = lanes.parked.get(offer.kind)
    if parked is None:
        return set()
    # One at a time: two that move the same jobs would wait for each other.
    await session.execute(
        select(_lanes.c.id).where(_lanes.c.id == parked).with_for_update(key_share=True)
    )
    after, into = 0, set[int]()
    while rows := (await session.execute(_PARKED, {"lane": parked, "after": after})).all():
        after = rows[-1].id
        into |= await _move(session, lanes, offer, parked, rows)
        if len(rows) < WINDOW:
            break
    return into


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


async def _move(
    session: Writing, lanes: Lanes, offer: Offer, parked: int, rows: Sequence[AnyRow]
) -> set[int]:
    """Move the fitting jobs. Returns the lanes in which they are now."""
    fitting: dict[Needs, list[AnyRow]] = defaultdict(list)
    for row in rows:
        needs = Needs.from_json(row.needs).of_job(row.feature)
        if matching.accepts(needs, offer):
            fitting[needs].append(row)
    into: dict[int, list[AnyRow]] = defaultdict(list)
    for needs, some in fitting.items():
        into[await lanes.lane_for(session, needs)] += some
    return set(await moving.move(session, parked, into))
