"""The roll-ups: sums by user, by model and day, added up from finished work."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import table
from core.stats.tables import DayTotal, UserTotal

_days = table(DayTotal)
_users = table(UserTotal)


@dataclass(frozen=True, slots=True)
class Made:
    """One finished piece of work."""

    kind: str
    model: str
    day: date
    things: int
    requester_id: int
    owner_id: int


async def add(session: AsyncSession, made: Iterable[Made]) -> None:
    """Add finished work to the sums. The caller sees to it that each piece is added once."""
    users: dict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    days: dict[tuple[date, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for one in made:
        asked, did = users[one.requester_id, one.kind], users[one.owner_id, one.kind]
        asked[0] += 1
        asked[1] += one.things
        did[2] += 1
        did[3] += one.things
        day = days[one.day, one.kind, one.model]
        day[0] += 1
        day[1] += one.things
    names = ("requested", "requested_things", "fulfilled", "fulfilled_things")
    for (user_id, kind), sums in sorted(users.items()):
        await _add(session, _users, {"user_id": user_id, "kind": kind}, _named(names, sums))
    for (on, kind, model), sums in sorted(days.items()):
        key = {"day": on, "kind": kind, "model": model}
        await _add(session, _days, key, _named(("made", "things"), sums))


def _named(names: tuple[str, ...], sums: list[int]) -> dict[str, int]:
    return dict(zip(names, sums, strict=True))


async def _add(
    session: AsyncSession, to: Table, key: dict[str, object], sums: dict[str, int]
) -> None:
    is_postgres = session.get_bind().dialect.name == "postgresql"
    inserted = (postgresql.insert(to) if is_postgres else sqlite.insert(to)).values(**key, **sums)
    await session.execute(
        inserted.on_conflict_do_update(
            index_elements=list(key),
            set_={name: to.c[name] + inserted.excluded[name] for name in sums},
        )
    )
