"""Parties: threads in which everybody asks by one style, for an award."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import now, table
from bot.store.jobs import JobState
from bot.store.tables import JobRow, PartyRow

_PARTIES: Final = table(PartyRow)
_JOBS: Final = table(JobRow)


@dataclass(frozen=True)
class Party:
    """One row of `parties`."""

    id: int
    guild_id: int
    thread_id: int
    host_id: int
    name: str
    style: str
    words: list[str]
    award: int
    every: bool
    sealed_key: str | None
    ends: datetime
    is_over: bool = False


async def add(connection: AsyncConnection, party: Party) -> None:
    """Store a new party."""
    values = {name: value for name, value in vars(party).items() if name != "id"}
    await connection.execute(insert(_PARTIES).values(**values))


async def of_thread(connection: AsyncConnection, thread_id: int) -> Party | None:
    """The party that goes on in a thread."""
    return _one(await _found(connection, (_PARTIES.c.thread_id == thread_id) & _going_on()))


async def get(connection: AsyncConnection, party_id: int) -> Party | None:
    """A party."""
    return _one(await _found(connection, _PARTIES.c.id == party_id))


async def ended(connection: AsyncConnection) -> Sequence[Party]:
    """Parties whose time is over and that were not closed."""
    return await _found(connection, (_PARTIES.c.ends < now()) & _going_on())


async def close(connection: AsyncConnection, party_id: int) -> None:
    """End a party, and forget the key that paid for it."""
    ending = update(_PARTIES).where(_PARTIES.c.id == party_id)
    await connection.execute(ending.values(is_over=True, sealed_key=None))


async def guests(connection: AsyncConnection, party_id: int) -> dict[int, int]:
    """How often each guest got pictures."""
    there = (_JOBS.c.party_id == party_id) & (_JOBS.c.state == JobState.DONE)
    count = select(_JOBS.c.user_id, func.count().label("times")).where(there)
    found = await connection.execute(count.group_by(_JOBS.c.user_id))
    return {row.user_id: row.times for row in found}


async def _found(connection: AsyncConnection, where: Any) -> list[Party]:  # noqa: ANN401 - a condition
    found = await connection.execute(select(*_PARTIES.c).where(where))
    return [Party(**row._mapping) for row in found]  # noqa: SLF001 - SQLAlchemy's public name


def _one(found: Sequence[Party]) -> Party | None:
    return found[0] if found else None


def _going_on() -> Any:  # noqa: ANN401 - a condition
    return _PARTIES.c.is_over.is_(False)
