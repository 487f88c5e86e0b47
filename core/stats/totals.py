"""Reading the roll-ups: sums of a user, of all models together, and of each model."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import func, select

from core.db import Reading, table
from core.stats.rollup import EPOCH
from core.stats.tables import ModelTotal, Span, UserTotal

PERIODS = {
    "hour": (Span.MINUTE, timedelta(hours=1)),
    "day": (Span.HOUR, timedelta(days=1)),
    "month": (Span.DAY, timedelta(days=30)),
}
"""The last 60 minutes, 24 hours and 30 days, the present one of each included."""

_models = table(ModelTotal)
_users = table(UserTotal)


class Sum(NamedTuple):
    """How many were made, and their size in things."""

    made: int = 0
    things: int = 0


@dataclass(frozen=True, slots=True)
class UserTotals:
    """What a user asked for, and what the user's workers made, by kind."""

    requested: dict[str, int] = field(default_factory=dict)
    requested_things: dict[str, int] = field(default_factory=dict)
    fulfilled: dict[str, int] = field(default_factory=dict)
    fulfilled_things: dict[str, int] = field(default_factory=dict)


NOTHING = UserTotals()


async def of_user(session: Reading, user_id: int) -> UserTotals:
    """The user's totals, as of the last roll-up."""
    return (await of_users(session, [user_id])).get(user_id, NOTHING)


async def of_users(session: Reading, user_ids: Collection[int]) -> dict[int, UserTotals]:
    """The totals of these users, as of the last roll-up; those without any work are left out."""
    found: dict[int, UserTotals] = {}
    for row in await session.execute(select(_users).where(_users.c.user_id.in_(user_ids))):
        own = found.setdefault(row.user_id, UserTotals())
        own.requested[row.kind] = row.requested
        own.requested_things[row.kind] = row.requested_things
        own.fulfilled[row.kind] = row.fulfilled
        own.fulfilled_things[row.kind] = row.fulfilled_things
    return found


async def periods(session: Reading, kind: str, *, at: datetime) -> dict[str, Sum]:
    """What all models together made of the kind: `hour`, `day`, `month` and `total`."""
    found: dict[str, Sum] = {}
    for period, (span, since) in _windows(at).items():
        made, things = func.sum(_models.c.made), func.sum(_models.c.things)
        row = (
            await session.execute(
                select(func.coalesce(made, 0), func.coalesce(things, 0)).where(
                    _models.c.span == span, _models.c.kind == kind, _models.c.start > since
                )
            )
        ).one()
        found[period] = Sum(int(row[0]), int(row[1]))
    return found


async def by_model(session: Reading, kind: str, *, at: datetime) -> Mapping[str, dict[str, int]]:
    """How many results each model made: `day`, `month` and `total`, each by the model's name."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for period, (span, since) in _windows(at).items():
        if period == "hour":
            continue
        rows = await session.execute(
            select(_models.c.model, func.sum(_models.c.made).label("made"))
            .where(_models.c.span == span, _models.c.kind == kind, _models.c.start > since)
            .group_by(_models.c.model)
            .order_by(_models.c.model)
        )
        found[period] = {row.model: int(row.made) for row in rows}
    return found


def _windows(at: datetime) -> dict[str, tuple[str, datetime]]:
    """For each period its kind of bucket, and the moment after which its buckets begin."""
    windows = {name: (span.value, at - length) for name, (span, length) in PERIODS.items()}
    return {**windows, "total": (Span.EVER.value, EPOCH - timedelta(days=1))}
