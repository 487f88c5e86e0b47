"""The stored filters: looking them up and changing them.

Each change first raises the version row, for which concurrent changes wait; so every process reads
the same set for the same version, and an unusable set is never stored.
"""

from typing import Any

from sqlalchemy import delete, insert, select, update

from core.db import Reading, Writing, table
from core.errors import Invalid, NotFound
from core.moderation import patterns
from core.moderation.names import clean_text
from core.moderation.prompts import USED, FilterSet
from core.moderation.tables import Filter, FilterRow, FilterVersion

LARGEST_ID = 2**31 - 1
MAX_ID_CHARS = len(str(LARGEST_ID))
MAX_TEXT_CHARS = 1000  # characters of a description or a replacement

_filters = table(FilterRow)
_version = table(FilterVersion)


class FilterNotFound(NotFound):
    """There is no such filter."""

    code = "FilterNotFound"


async def find(
    session: Reading, *, filter_type: int | None = None, contains: str | None = None
) -> list[Filter]:
    """The filters of a type, or all, the oldest first. contains: a part of the expression."""
    wanted = select(_filters).order_by(_filters.c.id)
    if filter_type is not None:
        wanted = wanted.where(_filters.c.filter_type == filter_type)
    if contains:
        wanted = wanted.where(_filters.c.regex.icontains(contains, autoescape=True))
    return [Filter(**row) for row in (await session.execute(wanted)).mappings()]


async def by_id(session: Reading, filter_id: str) -> Filter:
    """The filter with this id, as a client wrote it. Raises FilterNotFound."""
    is_id = filter_id.isascii() and filter_id.isdecimal() and len(filter_id) <= MAX_ID_CHARS
    number = int(filter_id) if is_id else -1
    found = None
    if 0 <= number <= LARGEST_ID:
        of_it = select(_filters).where(_filters.c.id == number)
        found = (await session.execute(of_it)).mappings().first()
    if found is None:
        raise FilterNotFound(f"Filter with ID '{filter_id[:MAX_ID_CHARS]}' not found.")
    return Filter(**found)


async def expressions(session: Reading, filter_type: int | None = None) -> dict[int, str]:
    """For each type in use, one expression for all its filters."""
    found = await find(session, filter_type=filter_type)
    joined = {
        kind: patterns.union(one.regex for one in found if one.filter_type == kind) for kind in USED
    }
    return {kind: regex for kind, regex in joined.items() if filter_type in (None, kind)}


async def add(
    session: Writing,
    *,
    regex: str,
    filter_type: int,
    description: str | None,
    replacement: str,
    user_id: int | None,
) -> Filter:
    """Add a filter; an existing one with the same type and expression is returned unchanged.

    Raises Invalid if the expression cannot be used.
    """
    _check(regex, description, replacement)
    await _raise_version(session)
    same = select(_filters).where(_filters.c.filter_type == filter_type, _filters.c.regex == regex)
    if (found := (await session.execute(same)).mappings().first()) is not None:
        return Filter(**found)
    added = await session.execute(
        insert(_filters)
        .values(
            regex=regex,
            filter_type=filter_type,
            description=None if description is None else clean_text(description),
            replacement=replacement,
            user_id=user_id,
        )
        .returning(_filters)
    )
    row = added.mappings().one()
    await _check_together(session)
    return Filter(**row)


async def change(session: Writing, filter_id: str, changes: dict[str, Any]) -> Filter:
    """Set columns of a filter. Raises FilterNotFound, and Invalid as `add` does."""
    await _raise_version(session)
    old = await by_id(session, filter_id)
    _check(
        changes.get("regex", old.regex),
        changes.get("description", old.description),
        changes.get("replacement", old.replacement),
    )
    if changes.get("description") is not None:
        changes = {**changes, "description": clean_text(changes["description"])}
    changed = await session.execute(
        update(_filters).where(_filters.c.id == old.id).values(**changes).returning(_filters)
    )
    row = changed.mappings().one()
    await _check_together(session)
    return Filter(**row)


async def remove(session: Writing, filter_id: str) -> None:
    """Delete a filter. Raises FilterNotFound."""
    await _raise_version(session)
    gone = await by_id(session, filter_id)
    await session.execute(delete(_filters).where(_filters.c.id == gone.id))


def _check(regex: str, description: str | None, replacement: str) -> None:
    patterns.check(regex)
    if max(len(description or ""), len(replacement)) > MAX_TEXT_CHARS:
        raise Invalid(f"Description and replacement have at most {MAX_TEXT_CHARS} characters each.")


async def _raise_version(session: Writing) -> None:
    await session.execute(update(_version).values(version=_version.c.version + 1))


async def _check_together(session: Reading) -> None:
    """Raise Invalid if the filters, each valid by itself, are too large as a set."""
    FilterSet.of(await find(session))
