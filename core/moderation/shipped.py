"""The shipped filters: a first set, so that no horde starts without any."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update

from core.db import Writing, table
from core.moderation.tables import FilterRow, FilterVersion

_filters = table(FilterRow)
_version = table(FilterVersion)


async def ensure(session: Writing) -> None:
    """Store the shipped filters if none were ever stored. Later only moderators change them."""
    first = update(_version).where(_version.c.version == 0).values(version=1)
    if (await session.execute(first.returning(_version.c.version))).first() is not None:
        await session.execute(insert(_filters), _shipped())


async def load(session: Writing) -> int:
    """Store shipped filters that are missing: after an update, say. Returns how many."""
    await session.execute(update(_version).values(version=_version.c.version + 1))
    rows = await session.execute(select(_filters.c.filter_type, _filters.c.regex))
    there = {tuple(row) for row in rows}
    missing = [one for one in _shipped() if (one["filter_type"], one["regex"]) not in there]
    if missing:
        await session.execute(insert(_filters), missing)
    return len(missing)


@cache
def _shipped() -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = json.loads((Path(__file__).parent / "shipped.json").read_text())
    return read
