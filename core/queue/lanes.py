"""Requests with the same coarse needs share a lane, so a pop compares its offer with few needs.

The lanes are rows; each process keeps them in memory between versions. A version is one number in
one row, raised in the transaction that adds or removes a lane and read by every pop.
"""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import bindparam, delete, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import now, table
from core.queue import matching
from core.queue.matching import Needs, Offer
from core.queue.tables import Job, JobState, Lane, LaneVersion

CATCH_ALL = "*"
"""Key of the lane that takes what comes when there are enough lanes; its jobs may need anything."""

REMEMBERED_OFFERS = 4096
EMPTY_LANE_LIFE = timedelta(minutes=5)

_lanes = table(Lane)
_jobs = table(Job)
_version = table(LaneVersion)


class Matched(NamedTuple):
    """The lanes an offer may serve."""

    ids: tuple[int, ...]
    certain: bool
    """Every job in them fits; else each job's exact needs have to be looked at."""


@dataclass(frozen=True, slots=True)
class _Known:
    least: Needs | None
    """None: the catch-all."""
    most: Needs | None


class Lanes:
    """The lanes as this process knows them."""

    def __init__(self, max_lanes: int) -> None:
        self._max = max_lanes
        self._version = -1
        self._known: dict[int, _Known] = {}
        self._matched: OrderedDict[Offer, Matched] = OrderedDict()

    @property
    def version(self) -> int:
        """What this process knows is of this version."""
        return self._version

    async def lane_for(self, session: AsyncSession, needs: Needs) -> int:
        """The id of the lane for a job with these needs, made where there is none yet."""
        coarse = matching.least(needs)
        document = coarse.to_json()
        key = _digest(document)
        if (lane_id := await _locked(session, key)) is not None:
            return lane_id
        if await self._is_full(session):
            key, document = CATCH_ALL, {}
            if (lane_id := await _locked(session, key)) is not None:
                return lane_id
        await _raise_version(session)  # from here on, whoever adds a lane waits
        if key != CATCH_ALL and await self._is_full(session):
            key, document = CATCH_ALL, {}
        return await _add(session, key, document)

    async def _is_full(self, session: AsyncSession) -> bool:
        return (await session.scalar(_COUNT) or 0) >= self._max

    async def update(self, session: AsyncSession) -> None:
        """Take in what changed until now."""
        version = await session.scalar(select(_version.c.version))
        await self.refresh(session, version or 0)

    async def catch_up(self, session: AsyncSession) -> None:
        """Take in what changed until now; a claim, which reads the version anyway, refreshes."""
        await self.refresh(session, await session.scalar(select(_version.c.version)) or 0)

    async def refresh(self, session: AsyncSession, version: int) -> None:
        """Take in what changed up to `version`; what this process knows is never undone."""
        if version <= self._version:
            return
        ids = set(await session.scalars(select(_lanes.c.id)))
        new = sorted(ids - self._known.keys())
        known = {i: lane for i, lane in self._known.items() if i in ids}
        if new:
            rows = await session.execute(
                select(_lanes.c.id, _lanes.c.key, _lanes.c.needs).where(_lanes.c.id.in_(new))
            )
            known |= {row.id: _read(row.key, row.needs) for row in rows}
        if version > self._version:  # else another look, meanwhile, saw more
            self._known, self._version = known, version
            self._matched.clear()

    def matching(self, offer: Offer) -> Matched:
        """The lanes that may hold a job for this offer, as of the last refresh."""
        if (found := self._matched.get(offer)) is not None:
            return found
        ids, certain = [], not offer.blacklist
        for lane_id, lane in self._known.items():
            if lane.least is None or lane.most is None:
                certain = False
            elif not matching.accepts(lane.least, offer):
                continue
            elif not matching.accepts(lane.most, offer):
                certain = False
            ids.append(lane_id)
        found = self._matched[offer] = Matched(tuple(ids), certain)
        if len(self._matched) > REMEMBERED_OFFERS:
            self._matched.popitem(last=False)
        return found

    def least(self) -> Mapping[int, Needs | None]:
        """Coarse needs by lane id; None: any."""
        return {i: lane.least for i, lane in self._known.items()}

    def least_needs(self) -> Mapping[int, Needs]:
        """Coarse needs by lane id (the catch-all left out)."""
        return {i: lane.least for i, lane in self._known.items() if lane.least is not None}


_COUNT = select(func.count()).where(_lanes.c.key != CATCH_ALL)


async def remove_empty(session: AsyncSession, limit: int = 200) -> int:
    """Remove lanes that hold no waiting or running job and are not fresh. How many."""
    busy = exists().where(
        _jobs.c.lane_id == _lanes.c.id,
        _jobs.c.state.in_((JobState.WAITING, JobState.PROCESSING)),
    )
    empty = (
        select(_lanes.c.id)
        .where(_lanes.c.created_at < now() - EMPTY_LANE_LIFE, ~busy)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = list(await session.scalars(empty))
    if ids:
        await _raise_version(session)
        # Again with `busy`: between reading and locking a request may have come in.
        removed = delete(_lanes).where(_lanes.c.id.in_(ids), ~busy).returning(_lanes.c.id)
        return len((await session.scalars(removed)).all())
    return 0


async def _locked(session: AsyncSession, key: str) -> int | None:
    """The lane's id, kept from removal until the transaction ends."""
    found: int | None = await session.scalar(_LOCKED, {"key": key})
    return found


_LOCKED = (
    select(_lanes.c.id)
    .where(_lanes.c.key == bindparam("key"))
    .with_for_update(read=True, key_share=True)
)


async def _add(session: AsyncSession, key: str, document: dict[str, object]) -> int:
    """Add the lane, unless another transaction just did."""
    if (lane_id := await _locked(session, key)) is not None:
        return lane_id
    added: int = await session.scalar(
        insert(_lanes).values(key=key, needs=document, created_at=now()).returning(_lanes.c.id)
    )
    return added


async def _raise_version(session: AsyncSession) -> None:
    await session.execute(
        update(_version).where(_version.c.id == 1).values(version=_version.c.version + 1)
    )


def _read(key: str, document: dict[str, object]) -> _Known:
    if key == CATCH_ALL:
        return _Known(None, None)
    coarse = Needs.from_json(document)
    return _Known(coarse, matching.most(coarse))


def _digest(document: dict[str, object]) -> str:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=20).hexdigest()
