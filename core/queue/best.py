"""The best waiting jobs of many lanes: the statements behind the claim, for each engine.

A job's place is its rank and its id. Each lane's jobs lie in an index in the order of their places,
so the best of a lane is one probe, however deep the queue is; a query over all jobs of the lanes
would sort them.

Lane ids travel as one parameter (`lanes_for`), so that the statements stay prepared.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    Select,
    bindparam,
    exists,
    func,
    literal_column,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from core.db import table
from core.queue.tables import WAITING, Job, JobState, Request

FIRST = {"rank": -(2**63), "job": -1}
"""The place before all others, for windows."""

_TOLD = ("id", "rank", "request_id", "number", "feature")

_jobs = table(Job)
_requests = table(Request)
_LANES = bindparam("lanes", type_=ARRAY(Integer))
# Limits stand in the text: a planner that does not know them takes them for a tenth of all rows,
# and sorts whole lanes instead of probing the index.
_ONE = literal_column("1", Integer)
_MAX_LANES = bindparam("best", type_=Integer, literal_execute=True)
_MAX_HEADS = bindparam("heads", type_=Integer, literal_execute=True)
_SIZE = bindparam("size", type_=Integer, literal_execute=True)
_AFTER = tuple_(bindparam("rank", type_=_jobs.c.rank.type), bindparam("job", type_=_jobs.c.id.type))


def lanes_for(engine: str, ids: Sequence[int]) -> Any:  # noqa: ANN401 - a list or a text
    """The parameter `lanes` that holds these ids."""
    return str(list(ids)) if engine == "sqlite" else list(ids)


def _taking(best: Select[tuple[int]]) -> Any:  # noqa: ANN401 - an UPDATE … RETURNING
    return (
        update(_jobs)
        .where(_jobs.c.id == best.scalar_subquery())  # "= (…)" runs once, "IN (…)" may run again
        .values(state=JobState.PROCESSING)
        .returning(
            _jobs.c.id,
            _jobs.c.request_id,
            _jobs.c.number,
            _jobs.c.seed,
            _jobs.c.things,
            _jobs.c.feature,
        )
    )


def _in_lane(
    columns: Iterable[str],
    lane_id: ColumnElement[int],
    most: Any,  # noqa: ANN401 - a number or a parameter
    *,
    after: ColumnElement[Any] | None = None,
) -> Select[Any]:
    """The first jobs of a lane, those behind a place if it is given."""
    jobs = _jobs.alias()
    found = (
        select(*(jobs.c[name] for name in columns))
        .where(jobs.c.lane_id == lane_id, jobs.c.state == WAITING)
        .order_by(jobs.c.rank, jobs.c.id)
        .limit(most)
    )
    return found if after is None else found.where(tuple_(jobs.c.rank, jobs.c.id) > after)


def _lanes_sqlite(most: Any, after: ColumnElement[Any] | None = None) -> CTE:  # noqa: ANN401
    """The lanes whose first jobs are best, with these."""
    lane = func.json_each(bindparam("lanes")).table_valued("value", name="lane")
    head = _in_lane(["id"], lane.c.value, _ONE, after=after).scalar_subquery()
    heads = select(lane.c.value.label("lane_id"), head.label("id")).select_from(lane).cte("heads")
    return (
        select(heads.c.lane_id, _jobs.c.id)
        .join(_jobs, _jobs.c.id == heads.c.id)
        .order_by(_jobs.c.rank, _jobs.c.id)
        .limit(most)
        .cte("top")
    )


def _lanes_postgresql(most: Any, after: ColumnElement[Any] | None = None) -> CTE:  # noqa: ANN401
    """The lanes whose first jobs are best."""
    lane = func.unnest(_LANES).table_valued("id", name="lane").render_derived()
    head = _in_lane(["id", "rank", "lane_id"], lane.c.id, _ONE, after=after).lateral("head")
    return (
        select(head.c.lane_id)
        .select_from(lane.join(head, true()))
        .order_by(head.c.rank, head.c.id)
        .limit(most)
        .cte("top")
    )


def _take_postgresql() -> Any:  # noqa: ANN401
    top = _lanes_postgresql(_MAX_LANES)
    some = _in_lane(["id", "rank"], top.c.lane_id, _MAX_HEADS).lateral("some")
    candidate = select(some.c.id, some.c.rank).select_from(top.join(some, true())).cte("candidate")
    best = (
        select(_jobs.c.id)
        .join(candidate, candidate.c.id == _jobs.c.id)
        .where(_jobs.c.state == WAITING)
        .order_by(candidate.c.rank, candidate.c.id)
        .limit(1)
        .with_for_update(of=_jobs, skip_locked=True)
    )
    return _taking(best)


def _window_sqlite() -> Select[Any]:
    """SQLite has no LATERAL, but finds rows by a list of ids that it makes for each lane."""
    top = _lanes_sqlite(_SIZE, after=_AFTER)
    some = _in_lane(["id"], top.c.lane_id, _SIZE, after=_AFTER)
    first = (
        select(*(_jobs.c[name] for name in _TOLD))
        .select_from(top.join(_jobs, _jobs.c.id.in_(some)))
        .order_by(_jobs.c.rank, _jobs.c.id)
        .limit(_SIZE)
    )
    return _told(first)


def _window_postgresql() -> Select[Any]:
    top = _lanes_postgresql(_SIZE, after=_AFTER)
    some = _in_lane(_TOLD, top.c.lane_id, _SIZE, after=_AFTER)
    lateral = some.lateral("some")
    first = (
        select(*(lateral.c[name] for name in _TOLD))
        .select_from(top.join(lateral, true()))
        .order_by(lateral.c.rank, lateral.c.id)
        .limit(_SIZE)
    )
    return _told(first)


def _window_of_users() -> Select[Any]:
    first = (
        select(*(_jobs.c[name] for name in _TOLD))
        .where(
            _jobs.c.state == WAITING,
            _jobs.c.user_id.in_(bindparam("users", expanding=True)),
            tuple_(_jobs.c.rank, _jobs.c.id) > _AFTER,
        )
        .order_by(_jobs.c.rank, _jobs.c.id)
        .limit(_SIZE)
    )
    return _told(first)


def _told(first: Select[Any]) -> Select[Any]:
    """These jobs in order, with what their requests need exactly."""
    window = first.cte("first")
    return (
        select(
            *window.c,
            _requests.c.needs,
            _requests.c.prompt,
            _requests.c.expires_at,
        )
        .join(_requests, _requests.c.id == window.c.request_id)
        .order_by(window.c.rank, window.c.id)
    )


TAKE_SQLITE = _taking(select(_lanes_sqlite(1).c.id))
"""Take the best job of `lanes`: writers take turns, so the best head is it."""
TAKE_POSTGRESQL = _take_postgresql()
"""Take the best job that nobody has locked of the first `heads` jobs of the `best` best lanes."""
TAKE_ONE_OF = _taking(
    select(_jobs.c.id)
    .where(_jobs.c.id.in_(bindparam("ids", expanding=True)), _jobs.c.state == WAITING)
    .order_by(_jobs.c.rank, _jobs.c.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)
"""Take the best of the jobs `ids` that nobody has locked."""
ANY_WAITING = select(exists().where(_jobs.c.lane_id == func.any(_LANES), _jobs.c.state == WAITING))
"""Whether any job waits in `lanes`; for PostgreSQL."""
WINDOWS = {"sqlite": _window_sqlite(), "postgresql": _window_postgresql()}
"""The first `size` jobs of `lanes` behind the place `rank`, `job`; also those of expired requests.

They are among the first `size` jobs of the `size` lanes with the best heads.
"""
WINDOW_OF_USERS = _window_of_users()
"""The same of the jobs of `users`."""
