"""What is ahead of a place in the queue and what is behind it: the statements for each engine.

On PostgreSQL each lane is probed by itself: for all lanes at once, a planner that does not know how
many jobs they hold may read the whole table.
"""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Subquery,
    bindparam,
    func,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY

from core.db import table
from core.prepared import prepared
from core.queue.tables import WAITING, Job

_jobs = table(Job)
_PLACE = tuple_(
    bindparam("rank", type_=_jobs.c.rank.type), bindparam("job_id", type_=_jobs.c.id.type)
)
_MOST = bindparam("most", type_=Integer(), literal_execute=True)


def _jobs_sqlite(place: ColumnElement[bool]) -> Subquery:
    lane = func.json_each(bindparam("lanes")).table_valued("value", name="lane")
    return (
        select(_jobs.c.request_id, _jobs.c.lane_id, _jobs.c.things)
        .where(_jobs.c.state == WAITING, _jobs.c.lane_id.in_(select(lane.c.value)), place)
        .limit(_MOST)
        .subquery()
    )


def _jobs_postgresql(place: ColumnElement[bool]) -> Subquery:
    lanes = bindparam("lanes", type_=ARRAY(Integer))
    lane = func.unnest(lanes).table_valued("id", name="lane").render_derived()
    of_lane = (
        select(_jobs.c.request_id, _jobs.c.lane_id, _jobs.c.things)
        .where(_jobs.c.state == WAITING, _jobs.c.lane_id == lane.c.id, place)
        .order_by(_jobs.c.rank, _jobs.c.id)
        .limit(_MOST)
        .lateral("of_lane")
    )
    return select(of_lane).select_from(lane.join(of_lane, true())).limit(_MOST).subquery()


_JOBS = {"sqlite": _jobs_sqlite, "postgresql": _jobs_postgresql}


def _by_lane(jobs: FromClause) -> Select[Any]:
    requests = select(func.count(func.distinct(jobs.c.request_id))).scalar_subquery()
    return select(
        jobs.c.lane_id,
        func.count().label("jobs"),
        func.sum(jobs.c.things).label("things"),
        requests.label("requests"),
    ).group_by(jobs.c.lane_id)


_AT = tuple_(_jobs.c.rank, _jobs.c.id)

AHEAD = {
    engine: prepared(_by_lane(select(jobs(_AT < _PLACE)).cte("ahead")))
    for engine, jobs in _JOBS.items()
}
"""By lane, `jobs` and `things` that are ahead, up to `most`; and of how many `requests` in all."""

BEHIND = {
    engine: prepared(select(func.count()).select_from(jobs(_AT > _PLACE)))
    for engine, jobs in _JOBS.items()
}
"""How many are behind, up to `most`."""
