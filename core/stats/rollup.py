"""The roll-ups of work: sums by user, and by model and stretch of time, added up from attempts.

Each piece is added to the minute, the hour and the day of UTC in which it ended, and to the bucket
of all time. So the sums are the same in whatever order and batches the pieces come.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Table, delete, select, tuple_

from core import dialects
from core.db import Reading, Writing, table
from core.stats.tables import ModelTotal, Span, UserTotal
from core.users.tables import UserRow

KEPT = {
    Span.MINUTE: timedelta(hours=2),
    Span.HOUR: timedelta(days=3),
    Span.DAY: timedelta(days=62),
}
"""How long buckets are kept: twice as long as anybody asks for, so that late work still fits."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_models = table(ModelTotal)
_users = table(UserTotal)
_people = table(UserRow)


@dataclass(frozen=True, slots=True)
class Made:
    """One finished piece of work."""

    kind: str
    model: str
    ended_at: datetime
    things: int
    requester_id: int
    owner_id: int


async def add(session: Writing, made: Iterable[Made]) -> None:
    """Add finished work to the sums. The caller sees to it that each piece is added once."""
    pieces = list(made)
    multipliers = await _multipliers(session, {one.requester_id for one in pieces})
    users: dict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    models: dict[tuple[str, datetime, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for one in pieces:
        asked, did = users[one.requester_id, one.kind], users[one.owner_id, one.kind]
        asked[0] += 1
        # Rounded for each piece, so that a sum does not depend on what was added together.
        asked[1] += round(one.things * multipliers.get(one.requester_id, 1.0))
        did[2] += 1
        did[3] += one.things
        for span, start in _buckets(one.ended_at):
            bucket = models[span, start, one.kind, one.model]
            bucket[0] += 1
            bucket[1] += one.things
    sums = ("requested", "requested_things", "fulfilled", "fulfilled_things")
    await _add(session, _users, ("user_id", "kind"), sums, users.items())
    await _add(
        session, _models, ("span", "start", "kind", "model"), ("made", "things"), models.items()
    )


async def _multipliers(session: Reading, user_ids: set[int]) -> dict[int, float]:
    """The factors by which the usage of these users counts, if not once."""
    unusual = select(_people.c.id, _people.c.usage_multiplier).where(
        _people.c.id.in_(user_ids), _people.c.usage_multiplier != 1.0
    )
    return {row.id: row.usage_multiplier for row in await session.execute(unusual)}


def _buckets(at: datetime) -> Iterable[tuple[str, datetime]]:
    minute = at.astimezone(UTC).replace(second=0, microsecond=0)
    yield Span.MINUTE.value, minute
    yield Span.HOUR.value, minute.replace(minute=0)
    yield Span.DAY.value, minute.replace(minute=0, hour=0)
    yield Span.EVER.value, EPOCH


async def _add(
    session: Writing,
    to: Table,
    key: tuple[str, ...],
    sums: tuple[str, ...],
    amounts: Iterable[tuple[tuple[object, ...], list[int]]],
) -> None:
    """Add to the rows of these keys, in order, so that two at once wait but never deadlock."""
    rows = [
        dict(zip(key + sums, (*values, *added), strict=True))
        for values, added in sorted(amounts, key=lambda item: tuple(map(str, item[0])))
    ]
    if not rows:
        return
    inserted = dialects.insert(session, to)
    statement = inserted.on_conflict_do_update(
        index_elements=list(key), set_={name: to.c[name] + inserted.excluded[name] for name in sums}
    )
    await session.execute(statement, rows)


async def forget(session: Writing, *, at: datetime, limit: int) -> int:
    """Delete old buckets, at most `limit` of each span. Returns how many."""
    gone = 0
    keys = (_models.c.span, _models.c.start, _models.c.kind, _models.c.model)
    for span, kept in KEPT.items():
        old = (
            select(*keys)
            .where(_models.c.span == span, _models.c.start < at - kept)
            .order_by(_models.c.start)
            .limit(limit)
        )
        deleted = await session.execute(
            delete(_models).where(tuple_(*keys).in_(old)).returning(_models.c.start)
        )
        gone += len(deleted.all())
    return gone
