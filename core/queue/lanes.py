"""Requests with the same needs share a lane, so a pop compares its offer with few needs.

A lane's needs are exact, except for the prompt's words, so that an offer without a blacklist takes
either all of its jobs or none. Two things bound how many lanes there are:

- A caller whose waiting jobs are in many lanes already, or a horde that is full of lanes, gets
  lanes of size classes, and after that the catch-all, whose jobs are looked at one by one.
- Jobs that nobody could serve lately are parked (`core.queue.parking`): one lane of each kind, from
  which no pop claims; jobs leave it when an offer comes that fits.

The lanes are rows; each process keeps them in memory between versions. A version is one number in
one row, raised in the transaction that adds or removes a lane and read by every pop.
"""

import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from sqlalchemy import select

from core.db import Reading, Writing, table
from core.queue import lane_rows, matching
from core.queue.lane_rows import APART, CATCH_ALL, EXACT, PARKED, Caller, HeldLane
from core.queue.matching import Needs, Offer
from core.queue.tables import Job, Lane, LaneVersion, RequestRow

MAX_EXACT_LANES_OF_CALLER = 50
"""And as many of size classes; further jobs go to the catch-all."""
MAX_APART = 1 / 4
"""The part of all lanes that may be there for prompts' words."""
REMEMBERED_OFFERS = 4096
REMEMBERED_CHANGES = 10_000
LOOK_AGAIN_SECONDS = 10.0
"""How long a look counts that moved parked jobs: its transaction may have been rolled back."""

_lanes = table(Lane)
_jobs = table(Job)
_requests = table(RequestRow)
_version = table(LaneVersion)


class Matched(NamedTuple):
    """The lanes an offer may serve."""

    certain: tuple[int, ...] = ()
    """Every job in them fits."""
    doubtful: tuple[int, ...] = ()
    """The words of each job, or its sizes within a class, have to be checked."""
    catch_all: int | None = None
    """The lane that may hold anything."""

    @property
    def ids(self) -> tuple[int, ...]:
        """All of them."""
        rest = () if self.catch_all is None else (self.catch_all,)
        return (*self.certain, *self.doubtful, *rest)


class _Stored(NamedTuple):
    id: int
    key: str
    needs: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Known:
    least: Needs | None
    """None: the catch-all."""
    most: Needs | None

    def fits(self, offer: Offer) -> bool | None:
        """Whether all of its jobs fit the offer, or none; None if that is in doubt."""
        if self.least is None or self.most is None:
            return None
        if not matching.accepts(self.least, offer):
            return False
        if not matching.accepts(self.most, offer):
            # A limit of steps that differs by model is not checked job by job.
            return False if offer.step_limits else None
        return None if offer.blacklist else True


@dataclass(slots=True)
class _Remembered:
    matched: Matched
    changes: int
    """How many changes of lanes it includes."""


class Look(NamedTuple):
    """How far an offer was compared with parked jobs."""

    parked: int
    """How many parkings there had been."""
    last: int
    """The last job that was compared: whatever is parked later has a larger id."""
    moved_at: float | None
    """When jobs were moved out, in a transaction that may have been rolled back since."""


class Looks:
    """The last look of each offer, in this process."""

    def __init__(self) -> None:
        self._last: OrderedDict[Offer, Look] = OrderedDict()

    def is_behind(self, offer: Offer, parked: int) -> bool:
        """Whether jobs were parked since the offer was compared."""
        last = self._last.get(offer)
        return last is None or last.parked < parked

    def due(self, offer: Offer, parked: int) -> int | None:
        """The job after which parked jobs have to be compared with the offer; None: no job has."""
        look = self._last.get(offer)
        if look is None:
            return 0
        if look.moved_at is not None and time.monotonic() - look.moved_at >= LOOK_AGAIN_SECONDS:
            return 0
        return look.last if look.parked < parked else None

    def looked(self, offer: Offer, parked: int, *, after: int, last: int, moved: bool) -> None:
        """Remember that the offer was compared with what was parked behind the job `after`."""
        moved_at = time.monotonic() if moved else None
        if after and (before := self._last.get(offer)) is not None:
            moved_at = before.moved_at or moved_at
        self._last[offer] = Look(parked, last, moved_at)
        self._last.move_to_end(offer)
        if len(self._last) > REMEMBERED_OFFERS:
            self._last.popitem(last=False)


class Lanes:
    """The lanes as this process knows them."""

    def __init__(self, max_lanes: int) -> None:
        self._max = max_lanes
        self._version = -1
        self._known: dict[int, _Known] = {}
        self._remembered: OrderedDict[Offer, _Remembered] = OrderedDict()
        self._changes: list[tuple[int, _Known | None]] = []
        self.looks = Looks()
        self.parked: dict[str, int] = {}
        """The parked lane of each kind."""

    @property
    def version(self) -> int:
        """The version of what this process knows."""
        return self._version

    async def lane_for(self, session: Writing, needs: Needs, caller: Caller | None = None) -> int:
        """The id of the lane for a job with these needs, made if there is none yet.

        caller: the owner of the job, if the number of their lanes is limited.
        """
        exact = {**replace(needs, words="").to_json(), EXACT: True}
        if (lane_id := await lane_rows.locked(session, lane_rows.key_of(exact))) is not None:
            return lane_id
        documents = [exact, matching.least(needs).to_json()]
        if caller is not None:
            del documents[: await lane_rows.lanes_of(session, caller) // MAX_EXACT_LANES_OF_CALLER]
        return await self._first(session, documents)

    async def apart(self, session: Writing, document: dict[str, Any]) -> HeldLane | None:
        """The lane for jobs that contain what it says, made where there is none yet.

        None where there are enough of such lanes.
        """
        key = f"{APART}:{lane_rows.key_of(document)}"
        if (found := await lane_rows.found(session, key)) is not None:
            return found
        apart = await lane_rows.count_apart(session)
        if apart >= self._max * MAX_APART or await self._is_full(session):
            return None
        await lane_rows.raise_version(session)
        await lane_rows.add(session, key, document)
        return await lane_rows.found(session, key)

    async def _first(self, session: Writing, documents: list[dict[str, Any]]) -> int:
        """The first of these lanes that exists or may be made, else the catch-all."""
        if documents and not await self._is_full(session):
            return await self._made(session, documents[0])
        for document in documents:
            if (lane_id := await lane_rows.locked(session, lane_rows.key_of(document))) is not None:
                return lane_id
        return await self._made(session, None)

    async def _made(self, session: Writing, document: dict[str, Any] | None) -> int:
        key = CATCH_ALL if document is None else lane_rows.key_of(document)
        if (lane_id := await lane_rows.locked(session, key)) is not None:
            return lane_id
        await lane_rows.raise_version(session)  # from here on, others that add a lane wait
        if document is not None and await self._is_full(session):
            return await self._made(session, None)
        return await lane_rows.add(session, key, document or {})

    async def _is_full(self, session: Reading) -> bool:
        return await lane_rows.count(session) >= self._max

    async def update(self, session: Reading) -> None:
        """Take in all changes until now; a claim reads the version anyway and calls `refresh`."""
        await self.refresh(session, await session.scalar(select(_version.c.version)) or 0)

    async def refresh(self, session: Reading, version: int) -> None:
        """Take in all changes up to `version`; knowledge of a later version is kept."""
        if version <= self._version:
            return
        ids = set(await session.scalars(select(_lanes.c.id)))
        new = sorted(ids - self._known.keys() - set(self.parked.values()))
        added, parked = {}, {}
        if new:
            for lane in await _stored(session, new):
                if lane.needs.get(PARKED):
                    parked[lane.needs.get("kind", Needs().kind)] = lane.id
                else:
                    added[lane.id] = _read(lane.key, lane.needs)
        if version > self._version:  # otherwise another look saw more meanwhile
            gone = self._known.keys() - ids
            self._known = {i: lane for i, lane in self._known.items() if i in ids} | added
            self.parked |= parked
            self._version = version
            self._remember([*((i, None) for i in gone), *added.items()])

    def _remember(self, changes: list[tuple[int, _Known | None]]) -> None:
        if len(self._changes) + len(changes) > REMEMBERED_CHANGES:
            self._changes.clear()
            self._remembered.clear()
        else:
            self._changes += changes

    def matching(self, offer: Offer) -> Matched:
        """The lanes that may hold a job for this offer, as of the last refresh."""
        found = self._remembered.get(offer)
        if found is None:
            matched = _with_changes(Matched(), offer, list(self._known.items()))
            found = self._remembered[offer] = _Remembered(matched, len(self._changes))
            if len(self._remembered) > REMEMBERED_OFFERS:
                self._remembered.popitem(last=False)
        elif found.changes < len(self._changes):
            found.matched = _with_changes(found.matched, offer, self._changes[found.changes :])
            found.changes = len(self._changes)
        self._remembered.move_to_end(offer)
        return found.matched

    async def matching_with(
        self, session: Writing, offer: Offer, made: AbstractSet[int]
    ) -> Matched:
        """The same with lanes that this transaction may have made, which nobody knows yet."""
        new = made - self._known.keys()
        made_now = await _stored(session, sorted(new)) if new else []
        changes = [(lane.id, _read(lane.key, lane.needs)) for lane in made_now]
        return _with_changes(self.matching(offer), offer, changes)

    def least(self) -> Mapping[int, Needs | None]:
        """Coarse needs by lane id; None: any."""
        return {i: lane.least for i, lane in self._known.items()}

    def least_needs(self) -> Mapping[int, Needs]:
        """The needs of each lane by its id, sizes at the lower end of a class.

        The catch-all and parked lanes are left out.
        """
        return {i: lane.least for i, lane in self._known.items() if lane.least is not None}

    def largest_needs(self, lane_id: int) -> Needs:
        """The largest needs that a job of the lane can have, without words."""
        return self._known[lane_id].most or Needs()


async def _stored(session: Reading, ids: Sequence[int]) -> list[_Stored]:
    found = select(_lanes.c.id, _lanes.c.key, _lanes.c.needs).where(_lanes.c.id.in_(ids))
    return [_Stored(*row) for row in await session.execute(found)]


def _with_changes(
    matched: Matched, offer: Offer, changes: Sequence[tuple[int, _Known | None]]
) -> Matched:
    """The lanes that an offer matches after changes of lanes."""
    certain, doubtful = dict.fromkeys(matched.certain), dict.fromkeys(matched.doubtful)
    catch_all = matched.catch_all
    for lane_id, lane in changes:
        if lane is None:
            certain.pop(lane_id, None)
            doubtful.pop(lane_id, None)
            catch_all = None if lane_id == catch_all else catch_all
        elif lane.least is None:
            catch_all = lane_id
        elif (fits := lane.fits(offer)) is not False:
            (certain if fits else doubtful)[lane_id] = None
    return Matched(tuple(certain), tuple(doubtful), catch_all)


def _read(key: str, document: dict[str, Any]) -> _Known:
    if key == CATCH_ALL:
        return _Known(None, None)
    needs = Needs.from_json(document)
    return _Known(needs, needs if document.get(EXACT) else matching.most(needs))
