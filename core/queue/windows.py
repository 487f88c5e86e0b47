"""Waiting jobs that are looked at one by one: of the catch-all lane, or of a worker's own users."""

from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, bindparam, or_, select, tuple_

from core.db import table
from core.queue import best
from core.queue.tables import WAITING, Job, RequestRow

FIRST = {"rank": -(2**63), "job": -1}
"""The place before all others."""

_LOOKED_AT = ("id", "rank", "request_id", "number", "feature")

_jobs = table(Job)
_requests = table(RequestRow)
_SIZE = bindparam("size", type_=Integer, literal_execute=True)
_AFTER = tuple_(bindparam("rank", type_=_jobs.c.rank.type), bindparam("job", type_=_jobs.c.id.type))


def _goes_before() -> ColumnElement[bool]:
    """A job goes before the job `before`, unless that is None."""
    other = _jobs.alias()
    before = bindparam("before", type_=other.c.id.type)
    place = select(other.c.rank, other.c.id).where(other.c.id == before).scalar_subquery()
    return or_(before.is_(None), tuple_(_jobs.c.rank, _jobs.c.id) < place)


def _window(*which: ColumnElement[bool]) -> Select[Any]:
    """The first `size` of these jobs after the place `rank`, `job`, with their exact needs."""
    window = (
        select(*(_jobs.c[name] for name in _LOOKED_AT))
        .where(
            _jobs.c.state == WAITING,
            *which,
            tuple_(_jobs.c.rank, _jobs.c.id) > _AFTER,
            best.not_its_own_fault(_jobs),
        )
        .order_by(_jobs.c.rank, _jobs.c.id)
        .limit(_SIZE)
        .cte("first")
    )
    return (
        select(*window.c, _requests.c.needs, _requests.c.words, _requests.c.expires_at)
        .join(_requests, _requests.c.id == window.c.request_id)
        .order_by(window.c.rank, window.c.id)
    )


TAKE_ONE_OF = best.taking(
    select(_jobs.c.id)
    .where(_jobs.c.id.in_(bindparam("ids", expanding=True)), _jobs.c.state == WAITING)
    .order_by(_jobs.c.rank, _jobs.c.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)
"""Take the best unlocked one of the jobs `ids`."""
OF_LANE = _window(_jobs.c.lane_id == bindparam("lane", type_=Integer), _goes_before())
"""The first `size` jobs of one lane after a place, those of expired requests included.

Only those that go before the job `before`, unless that is None.
"""
OF_USERS = _window(_jobs.c.user_id.in_(bindparam("users", expanding=True)))
"""The same for the jobs of `users`."""
