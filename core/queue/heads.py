"""The first waiting job of each lane: a waiting pop reads them before it tries to claim.

It is one reading statement for all waiting pops together.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import select

from core.db import Reading, table
from core.prepared import prepared
from core.queue.lanes import Lanes
from core.queue.matching import Offer
from core.queue.tables import WAITING, Job, Lane, LaneVersion

_jobs = table(Job)
_lanes = table(Lane)
_version = table(LaneVersion)


class Heads:
    """The heads of the lanes as this process last read them.

    turn: held while somebody reads, so that others wait for the same result.
    """

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self.read_at = float("-inf")
        """On the monotonic clock: everything committed before is seen."""
        self._by_lane: Mapping[int, int] = {}
        self._parked = 0

    async def read(self, session: Reading, lanes: Lanes) -> None:
        """Read the heads again, and which lanes there are."""
        start = time.monotonic()
        rows = (await session.execute(_HEADS)).all()
        if rows:
            await lanes.refresh(session, rows[0].version)
            self._parked = rows[0].parked
        self._by_lane = {row.id: row.head for row in rows if row.head is not None}
        self.read_at = start

    def may_be_parked(self, lanes: Lanes, offer: Offer) -> bool:
        """Whether a job was parked that has not been compared with this offer yet."""
        return lanes.looks.is_behind(offer, self._parked)

    def fitting(self, lanes: Lanes, offer: Offer) -> dict[int, int]:
        """The heads, by lane, of the lanes that may hold a job for this offer.

        Jobs of the offer's own users need not be covered by kudos, so no lane is left out for that.
        """
        if not self._by_lane:
            return {}
        ids = lanes.matching(replace(offer, only_covered=False)).ids
        return {lane: self._by_lane[lane] for lane in ids if lane in self._by_lane}


_HEADS = prepared(
    select(  # not only lanes with jobs: PostgreSQL would read all jobs to find these
        _lanes.c.id,
        select(_jobs.c.id)
        .where(_jobs.c.lane_id == _lanes.c.id, _jobs.c.state == WAITING)
        .order_by(_jobs.c.rank, _jobs.c.id)
        .limit(1)
        .scalar_subquery()
        .label("head"),
        select(_version.c.version).where(_version.c.id == 1).scalar_subquery().label("version"),
        select(_version.c.parked).where(_version.c.id == 1).scalar_subquery().label("parked"),
    )
)
