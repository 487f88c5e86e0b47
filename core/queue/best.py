"""The best waiting jobs of many lanes: the statements behind the claim, for each engine.

A job's place is its rank and its id. Each lane's jobs lie in an index in the order of their places,
so the best of a lane is one probe, however deep the queue is; a query over all jobs of the lanes
would sort them.

If a lane's needs leave doubt (words, sizes within a class), the same statement looks at the exact
needs, so that a lane's best job is its best *fitting* job. A job at which this worker failed
recently is skipped for a while.

Lane ids travel as one parameter (`lanes_for`), so that the statements stay prepared.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    String,
    Uuid,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from core.db import Moment, table
from core.queue import matching
from core.queue.tables import WAITING, Attempt, Job, JobState, Request

FIRST = {"rank": -(2**63), "job": -1}
"""The place before all others, for windows."""

NEAR = 16
"""So many lanes are looked into at first where exact needs are looked at: most often one has it."""

_LOOKED_AT = ("id", "rank", "request_id", "number", "feature")

_jobs = table(Job)
_requests = table(Request)
_attempts = table(Attempt)
_LANES = bindparam("lanes", type_=ARRAY(Integer))
# Limits are literals: a planner that does not know them assumes a tenth of all rows, and sorts
# whole lanes instead of probing the index.
_ONE = literal_column("1", Integer)
_MAX_LANES = bindparam("best", type_=Integer, literal_execute=True)
_MAX_HEADS = bindparam("heads", type_=Integer, literal_execute=True)
_SIZE = bindparam("size", type_=Integer, literal_execute=True)
_AFTER = tuple_(bindparam("rank", type_=_jobs.c.rank.type), bindparam("job", type_=_jobs.c.id.type))


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
    unlisted: ColumnElement[bool] | None = None,
) -> Select[Any]:
    """The first jobs of a lane for this worker.

    unlisted: if exact needs have to be looked at, the engine's condition that no word of the
        blacklist is in a prompt.
    """
    jobs = _jobs.alias()
    found = (
        select(*(jobs.c[name] for name in columns))
        .where(jobs.c.lane_id == lane_id, jobs.c.state == WAITING, _not_its_own_fault(jobs))
        .order_by(jobs.c.rank, jobs.c.id)
        .limit(most)
    )
    if unlisted is None:
        return found
    sizes = (
        func.coalesce(_requests.c.needs[name].as_integer(), 0) <= bindparam(name, type_=BigInteger)
        for name in matching.SIZES
    )
    return found.where(exists().where(_requests.c.id == jobs.c.request_id, *sizes, unlisted))


def _not_its_own_fault(jobs: Any) -> ColumnElement[bool]:  # noqa: ANN401 - jobs or an alias of it
    """The worker has not failed at the job since the moment `retry`."""
    failed = exists().where(
        _attempts.c.job_id == jobs.c.id,
        _attempts.c.worker_id == bindparam("worker", type_=Uuid),
        _attempts.c.ended_at > bindparam("retry", type_=Moment),
        _attempts.c.ended_at <= bindparam("at", type_=Moment),  # another host's clock may be ahead
    )
    return or_(jobs.c.faults == 0, ~failed)


_WORD_SQLITE = func.json_each(bindparam("words", type_=String)).table_valued("value", name="word")
_UNLISTED_SQLITE = ~exists(
    select(_WORD_SQLITE.c.value).where(func.instr(_requests.c.words, _WORD_SQLITE.c.value) > 0)
)
_WORD_POSTGRESQL = (
    func.unnest(bindparam("words", type_=ARRAY(String)))
    .table_valued("value", name="word")
    .render_derived()
)
_UNLISTED_POSTGRESQL = ~exists(
    select(_WORD_POSTGRESQL.c.value).where(
        func.strpos(_requests.c.words, _WORD_POSTGRESQL.c.value) > 0
    )
)


def _head_sqlite(unlisted: ColumnElement[bool] | None = None) -> Select[tuple[int]]:
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


def _head_postgresql(unlisted: ColumnElement[bool] | None = None) -> Select[tuple[int]]:
    """The best unlocked job among the first `heads` jobs of the `best` best lanes."""
    top = _lanes_postgresql(unlisted)
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


def _near(
    all_heads: Select[Any], head: FromClause
) -> tuple[CTE, Callable[[FromClause], ColumnElement[bool]]]:
    """The NEAR lanes with the best heads, and whether a job goes before all jobs of the others."""
    best = all_heads.order_by(head.c.rank, head.c.id)
    heads = best.limit(literal_column(str(NEAR + 1), Integer)).cte("heads")
    in_order = select(heads.c.lane_id).order_by(heads.c.rank, heads.c.id)
    top = in_order.limit(literal_column(str(NEAR), Integer)).cte("top")
    next_ = (
        select(heads.c.rank, heads.c.id)
        .order_by(heads.c.rank, heads.c.id)
        .limit(_ONE)
        .offset(literal_column(str(NEAR), Integer))
    )
    return top, lambda job: or_(
        ~next_.exists(), tuple_(job.c.rank, job.c.id) < next_.scalar_subquery()
    )


def _near_sqlite() -> Select[tuple[int]]:
    """The best job that fits of the lanes with the best heads, if it is the best of all."""
    lane = func.json_each(bindparam("lanes")).table_valued("value", name="lane")
    first = _in_lane(["id"], lane.c.value, _ONE).scalar_subquery()
    found = select(first.label("id")).select_from(lane).cte("found")
    head = _jobs.alias("head")
    heads = select(head.c.lane_id, head.c.rank, head.c.id).join(found, head.c.id == found.c.id)
    top, is_first = _near(heads, head)
    fitting = _in_lane(["id"], top.c.lane_id, _ONE, unlisted=_UNLISTED_SQLITE).scalar_subquery()
    fits = select(fitting.label("id")).select_from(top).cte("fits")
    return (
        select(_jobs.c.id)
        .join(fits, _jobs.c.id == fits.c.id)
        .where(is_first(_jobs))
        .order_by(_jobs.c.rank, _jobs.c.id)
        .limit(_ONE)
    )


def _near_postgresql() -> Select[tuple[int]]:
    """The same; unlocked, among the first `heads` jobs of each of these lanes."""
    lane = func.unnest(_LANES).table_valued("id", name="lane").render_derived()
    head = _in_lane(["id", "rank", "lane_id"], lane.c.id, _ONE).lateral("head")
    heads = select(head.c.lane_id, head.c.rank, head.c.id).select_from(lane.join(head, true()))
    top, is_first = _near(heads, head)
    some = _in_lane(["id", "rank"], top.c.lane_id, _MAX_HEADS, unlisted=_UNLISTED_POSTGRESQL)
    each = some.lateral("some")
    candidate = select(each.c.id, each.c.rank).select_from(top.join(each, true())).cte("candidate")
    return (
        select(_jobs.c.id)
        .join(candidate, candidate.c.id == _jobs.c.id)
        .where(_jobs.c.state == WAITING, is_first(candidate))
        .order_by(candidate.c.rank, candidate.c.id)
        .limit(1)
        .with_for_update(of=_jobs, skip_locked=True)
    )


def _any_fits(unlisted: ColumnElement[bool] | None = None) -> Select[tuple[bool]]:
    lane = func.unnest(_LANES).table_valued("id", name="lane").render_derived()
    head = _in_lane(["id"], lane.c.id, _ONE, unlisted=unlisted).lateral("head")
    return select(exists(select(head.c.id).select_from(lane.join(head, true()))))


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
            _not_its_own_fault(_jobs),
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


HEADS = {
    ("sqlite", False): _head_sqlite(),
    ("sqlite", True): _head_sqlite(_UNLISTED_SQLITE),
    ("postgresql", False): _head_postgresql(),
    ("postgresql", True): _head_postgresql(_UNLISTED_POSTGRESQL),
}
"""The id of the best job of `lanes`, by engine and by whether exact needs are looked at."""
TAKES = {key: _taking(best) for key, best in HEADS.items()}
"""Take that job."""
TAKES_NEAR = {"sqlite": _taking(_near_sqlite()), "postgresql": _taking(_near_postgresql())}
"""The same where exact needs are looked at, as far as the best NEAR of many lanes tell it."""
ANY_FITS = {False: _any_fits(), True: _any_fits(_UNLISTED_POSTGRESQL)}
"""Whether any job of `lanes` fits, locked ones included; for PostgreSQL."""
TAKE_ONE_OF = _taking(
    select(_jobs.c.id)
    .where(_jobs.c.id.in_(bindparam("ids", expanding=True)), _jobs.c.state == WAITING)
    .order_by(_jobs.c.rank, _jobs.c.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)
"""Take the best unlocked one of the jobs `ids`."""
WINDOW_OF_LANE = _window(_jobs.c.lane_id == bindparam("lane", type_=Integer), _goes_before())
"""The first `size` jobs of one lane after a place, those of expired requests included.

Only those that go before the job `before`, unless that is None.
"""
WINDOW_OF_USERS = _window(_jobs.c.user_id.in_(bindparam("users", expanding=True)))
"""The same for the jobs of `users`."""
