"""The best waiting jobs of many lanes: the statements behind the claim, for each engine.

A job's place is its rank and its id. Each lane's jobs lie in an index in the order of their places,
so the best of a lane is one probe, however deep the queue is; a query over all jobs of the lanes
would sort them. Who may serve many lanes first looks at the front of the whole queue, in another
index: mostly the best job is there, whatever the number of lanes.

If a lane's needs leave doubt (words, sizes within a class), the same statement looks at the exact
needs, so that a lane's best job is its best *fitting* job. A job at which this worker failed
recently is skipped for a while.

Lane ids travel as one parameter (`lanes_for`), so that the statements stay prepared.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    String,
    TableValuedAlias,
    Uuid,
    and_,
    any_,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from core.columns import Moment
from core.db import table
from core.prepared import prepared
from core.queue import matching
from core.queue.rows import Claimed
from core.queue.tables import WAITING, AttemptRow, Job, JobState, RequestRow

_jobs = table(Job)
_requests = table(RequestRow)
_attempts = table(AttemptRow)
TAKEN = tuple(_jobs.c[field.name] for field in fields(Claimed))
"""What is told of a job that is taken, in the order of the fields of `Claimed`."""
_LANES = bindparam("lanes", type_=ARRAY(Integer))
# Limits are literals: a planner that does not know them assumes a tenth of all rows, and sorts
# whole lanes instead of probing the index.
_ONE = literal_column("1", Integer)
_MAX_LANES = bindparam("best", type_=Integer, literal_execute=True)
_MAX_HEADS = bindparam("heads", type_=Integer, literal_execute=True)
_FRONT = bindparam("front", type_=Integer, literal_execute=True)


def lanes_for(engine: str, ids: Sequence[int]) -> Any:  # noqa: ANN401 - a list or a text
    """The parameter `lanes` that holds these ids."""
    return many(engine, list(ids))


def fits_for(engine: str, offer: matching.Offer) -> dict[str, Any]:
    """The offer, as parameters of the statements that look at exact needs."""
    sizes = {name: getattr(offer, name) for name in matching.SIZES}
    if offer.step_limits:  # `Lanes` leaves no doubt about these
        sizes["steps"] = matching.UNLIMITED
    return {**sizes, "words": many(engine, sorted(offer.blacklist))}


def many(engine: str, values: Sequence[Any]) -> Any:  # noqa: ANN401 - a list or a text
    """One parameter that holds these values."""
    return json.dumps(values) if engine == "sqlite" else values


def is_among(engine: str, column: ColumnElement[int], name: str) -> ColumnElement[bool]:
    """The column is one of the numbers in the parameter of this name, which `many` makes."""
    if engine == "postgresql":
        return column == any_(bindparam(name, type_=ARRAY(Integer)))
    each = func.json_each(bindparam(name, type_=String)).table_valued("value", name="each")
    return column.in_(select(each.c.value))


def taking(best: Select[tuple[int]]) -> Any:  # noqa: ANN401 - an UPDATE … RETURNING
    """Take the job that the query finds."""
    return (
        update(_jobs)
        .where(_jobs.c.id == best.scalar_subquery())  # "= (…)" runs once, "IN (…)" may run again
        .values(state=JobState.PROCESSING)
        .returning(*TAKEN)
    )


def _in_lane(
    columns: Iterable[str],
    lane_id: ColumnElement[int],
    most: Any,  # noqa: ANN401 - a number or a parameter
    *,
    unlisted: ColumnElement[bool] | None = None,
) -> Select[Any]:
    """The first jobs of a lane for this worker.

    unlisted: if exact needs have to be looked at, the engine's condition that no word of the
        blacklist is in a prompt.
    """
    jobs = _jobs.alias()
    return (
        select(*(jobs.c[name] for name in columns))
        .where(jobs.c.lane_id == lane_id, jobs.c.state == WAITING, *_suits(jobs, unlisted))
        .order_by(jobs.c.rank, jobs.c.id)
        .limit(most)
    )


def _suits(jobs: FromClause, unlisted: ColumnElement[bool] | None) -> Iterator[ColumnElement[bool]]:
    """The conditions on a job that its lane does not tell."""
    yield not_its_own_fault(jobs)
    if unlisted is not None:
        sizes = (
            func.coalesce(_requests.c.needs[name].as_integer(), 0)
            <= bindparam(name, type_=BigInteger)
            for name in matching.SIZES
        )
        # Not EXISTS: PostgreSQL would join, expect next to nothing, and so sort the whole lane.
        fits = select(and_(*sizes, unlisted)).where(_requests.c.id == jobs.c.request_id)
        yield fits.scalar_subquery()


def not_its_own_fault(jobs: FromClause) -> ColumnElement[bool]:
    """The worker has not failed at the job since the moment `retry`."""
    failed = exists().where(
        _attempts.c.job_id == jobs.c.id,
        _attempts.c.worker_id == bindparam("worker", type_=Uuid),
        _attempts.c.ended_at > bindparam("retry", type_=Moment),
        _attempts.c.ended_at <= bindparam("at", type_=Moment),  # another host's clock may be ahead
    )
    return or_(jobs.c.faults == literal_column("0"), ~failed)


def _unlisted(word: TableValuedAlias, position: Callable[..., Any]) -> ColumnElement[bool]:
    """No word of the blacklist is in the prompt."""
    return ~exists(select(word.c.value).where(position(_requests.c.words, word.c.value) > 0))


_UNLISTED = {
    "sqlite": _unlisted(
        func.json_each(bindparam("words", type_=String)).table_valued("value", name="word"),
        func.instr,
    ),
    "postgresql": _unlisted(
        func.unnest(bindparam("words", type_=ARRAY(String)))
        .table_valued("value", name="word")
        .render_derived(),
        func.strpos,
    ),
}


def _head_sqlite(unlisted: ColumnElement[bool] | None) -> Select[tuple[int]]:
    """The best job of the lanes: writers take turns, so the best head is it."""
    lane = func.json_each(bindparam("lanes")).table_valued("value", name="lane")
    head = _in_lane(["id"], lane.c.value, _ONE, unlisted=unlisted).scalar_subquery()
    heads = select(head.label("id")).select_from(lane).cte("heads")
    return (
        select(_jobs.c.id)
        .join(heads, _jobs.c.id == heads.c.id)
        .order_by(_jobs.c.rank, _jobs.c.id)
        .limit(_ONE)
    )


def _lanes_postgresql(unlisted: ColumnElement[bool] | None) -> CTE:
    """The lanes whose first jobs are best."""
    lane = func.unnest(_LANES).table_valued("id", name="lane").render_derived()
    head = _in_lane(["id", "rank", "lane_id"], lane.c.id, _ONE, unlisted=unlisted).lateral("head")
    return (
        select(head.c.lane_id)
        .select_from(lane.join(head, true()))
        .order_by(head.c.rank, head.c.id)
        .limit(_MAX_LANES)
        .cte("top")
    )


def _head_postgresql(unlisted: ColumnElement[bool] | None, top: CTE) -> Select[tuple[int]]:
    """The best unlocked job among the first `heads` jobs of the `best` best lanes."""
    some = _in_lane(["id", "rank"], top.c.lane_id, _MAX_HEADS, unlisted=unlisted).lateral("some")
    candidate = select(some.c.id, some.c.rank).select_from(top.join(some, true())).cte("candidate")
    return (
        select(_jobs.c.id)
        .join(candidate, candidate.c.id == _jobs.c.id)
        .where(_jobs.c.state == WAITING)
        .order_by(candidate.c.rank, candidate.c.id)
        .limit(1)
        .with_for_update(of=_jobs, skip_locked=True)
    )


def _head(engine: str, unlisted: ColumnElement[bool] | None) -> Select[tuple[int]]:
    if engine == "sqlite":
        return _head_sqlite(unlisted)
    return _head_postgresql(unlisted, _lanes_postgresql(unlisted))


def _take(engine: str, unlisted: ColumnElement[bool] | None) -> Any:  # noqa: ANN401
    if engine == "sqlite":
        return taking(_head_sqlite(unlisted))
    top = _lanes_postgresql(unlisted)
    taken = taking(_head_postgresql(unlisted, top)).cte("taken")
    always = select(_ONE.label("one")).subquery("always")
    any_fits = select(top.c.lane_id).exists().label("any_fits")
    return select(*taken.c, any_fits).select_from(always.join(taken, true(), isouter=True))


def _front(engine: str, unlisted: ColumnElement[bool] | None) -> Select[tuple[int]]:
    """The best unlocked job of the lanes, if it is among the first `front` of the whole queue."""
    front = (
        select(_jobs.c.id, _jobs.c.rank, _jobs.c.lane_id, _jobs.c.request_id, _jobs.c.faults)
        # True of each lane. It names the index, which no other statement is to be tempted by: where
        # PostgreSQL does not know the values, it expects matches soon, and walks the whole queue.
        .where(_jobs.c.state == WAITING, _jobs.c.lane_id > literal_column("0"))
        .order_by(_jobs.c.rank, _jobs.c.id)
        .limit(_FRONT)
        .subquery("front")
    )
    return (
        select(_jobs.c.id)
        .join(front, front.c.id == _jobs.c.id)
        .where(
            _jobs.c.state == WAITING,
            is_among(engine, front.c.lane_id, "lanes"),
            *_suits(front, unlisted),
        )
        .order_by(front.c.rank, front.c.id)
        .limit(_ONE)
        .with_for_update(of=_jobs, skip_locked=True)
    )


_WAYS = {
    (engine, in_doubt): (engine, unlisted if in_doubt else None)
    for engine, unlisted in _UNLISTED.items()
    for in_doubt in (False, True)
}
HEADS = {key: prepared(_head(*way)) for key, way in _WAYS.items()}
"""The id of the best job of `lanes`, by engine and by whether exact needs are looked at."""
TAKES = {key: prepared(_take(*way)) for key, way in _WAYS.items()}
"""Take that job.

On PostgreSQL there is always one row, and `any_fits` in it: whether any job of the lanes fits. If
none was taken all the same, others have it locked, or it is out of reach.
"""
FRONTS = {key: prepared(_front(*way)) for key, way in _WAYS.items()}
"""The same as far as the front of the whole queue tells it: without a row nothing is told."""
TAKES_OF_FRONT = {key: prepared(taking(best)) for key, best in FRONTS.items()}
"""Take that job."""
