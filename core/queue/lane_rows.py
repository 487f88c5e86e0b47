"""The rows of lanes: found by their needs, added, counted, and removed when they are empty."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import bindparam, delete, distinct, exists, func, insert, select, update

from core.db import Reading, Writing, now, table
from core.prepared import prepared
from core.queue.tables import WAITING, Job, JobState, Lane, LaneVersion, RequestRow

CATCH_ALL = "*"
"""Key of the lane for everything once there are enough lanes; its jobs may need anything."""
EXACT, PARKED = "exact", "parked"
"""Marks in a lane's needs: they are exact; or nobody could serve them.

Lanes with neither are of size classes.
"""

APART, CONTAINS = "apart", "contains"
"""What its key begins with where it is one of `core.queue.wordy`; what it says of its prompts."""

EMPTY_LANE_LIFE = timedelta(minutes=5)

_lanes = table(Lane)
_jobs = table(Job)
_requests = table(RequestRow)
_version = table(LaneVersion)


class Caller(NamedTuple):
    """The owner of jobs, for the limit of lanes."""

    user_id: int
    address: str | None = None
    """The address of the anonymous user, who is a crowd."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldLane:
    """A lane that is kept from removal until the transaction ends."""

    id: int
    created_at: datetime


def key_of(document: dict[str, Any]) -> str:
    """The digest by which a lane with these needs is found."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=20).hexdigest()


async def lanes_of(session: Reading, caller: Caller) -> int:
    """The number of lanes in which jobs of the caller wait."""
    waiting = select(func.count(distinct(_jobs.c.lane_id))).where(
        _jobs.c.user_id == caller.user_id, _jobs.c.state == WAITING
    )
    if caller.address is not None:
        waiting = waiting.join(_requests, _requests.c.id == _jobs.c.request_id).where(
            _requests.c.address == caller.address
        )
    return await session.scalar(waiting) or 0


async def count(session: Reading) -> int:
    """How many lanes there are, without the catch-all and the parked ones."""
    return await session.scalar(_COUNT) or 0


async def count_apart(session: Reading) -> int:
    """How many lanes there are for prompts' words."""
    return await session.scalar(_COUNT_APART) or 0


_COUNT_APART = select(func.count()).where(_lanes.c.key.startswith(f"{APART}:"))
_is_parked = _lanes.c.key.startswith(f"{PARKED}:")
_COUNT = select(func.count()).where(_lanes.c.key != CATCH_ALL, ~_is_parked)


async def remove_empty(session: Writing, limit: int = 200) -> int:
    """Remove lanes that hold no waiting or running job and are not fresh.

    Returns how many were removed.
    """
    busy = exists().where(
        _jobs.c.lane_id == _lanes.c.id,
        _jobs.c.state.in_((JobState.WAITING, JobState.PROCESSING)),
    )
    empty = (
        select(_lanes.c.id)
        .where(_lanes.c.created_at < now() - EMPTY_LANE_LIFE, ~busy, ~_is_parked)
        .limit(limit)
    )
    if await session.scalar(empty.limit(1)) is None:
        return 0
    # Before any lane is locked: adding a lane also raises the version before looking for the lane.
    await raise_version(session)
    ids = list(await session.scalars(empty.with_for_update(skip_locked=True)))
    # Again with `busy`: between reading and locking a request may have come in.
    removed = delete(_lanes).where(_lanes.c.id.in_(ids), ~busy).returning(_lanes.c.id)
    return len((await session.scalars(removed)).all())


async def locked(session: Writing, key: str) -> int | None:
    """The lane's id; the lane is kept from removal until the transaction ends."""
    lane = await found(session, key)
    return None if lane is None else lane.id


async def found(session: Writing, key: str) -> HeldLane | None:
    """The lane, kept from removal until the transaction ends."""
    row = (await session.execute(_LOCKED, {"key": key})).mappings().first()
    return None if row is None else HeldLane(**row)


_LOCKED = prepared(
    select(_lanes.c.id, _lanes.c.created_at)
    .where(_lanes.c.key == bindparam("key"))
    .with_for_update(read=True, key_share=True)
)


async def add(session: Writing, key: str, document: dict[str, Any]) -> int:
    """Add the lane, unless another transaction just did. Raise the version first."""
    if (lane_id := await locked(session, key)) is not None:
        return lane_id
    added: int = await session.scalar(
        insert(_lanes).values(key=key, needs=document, created_at=now()).returning(_lanes.c.id)
    )
    return added


async def raise_version(session: Writing) -> None:
    """Let every process read the lanes again. Concurrent calls wait for this transaction."""
    await session.execute(
        update(_version).where(_version.c.id == 1).values(version=_version.c.version + 1)
    )
