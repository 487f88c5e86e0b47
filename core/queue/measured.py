"""How fast a worker is, measured by its last jobs. Computed by upkeep, never in a request."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, func, select

from core.db import Reading, table
from core.queue import pace
from core.queue.pace import MIN_SECONDS, Pace, Sample
from core.queue.tables import AttemptRow, Job, Outcome

MAX_ATTEMPTS: Final = 100
MAX_SAMPLES: Final = 50
"""The most samples of one model, and of all models together."""

ANY_MODEL: Final = ""

_attempts = table(AttemptRow)
_jobs = table(Job)


class Measured(NamedTuple):
    """The speed of a worker according to its last jobs."""

    speed: float
    """Things a second, as delivered, without the part that every job costs."""
    pace: Pace
    """The pace at any model, by size as ordered."""
    of_models: dict[str, Pace]


async def measure(
    session: Reading, worker_id: UUID, *, threads: int, before: Mapping[str, Pace]
) -> Measured | None:
    """Measure the worker by its last jobs, without decoys; None before the first.

    before: the last measurements, by model and, under ANY_MODEL, of all models: after a long run of
        small jobs they are all that is known about large ones.
    """
    last = [_Tried(*row) for row in await session.execute(_LAST, {"worker": worker_id})]
    done = _done(last, threads)
    if not done:
        return None
    usual = before.get(ANY_MODEL) or pace.usual(done[0].kind)
    newest = done[:MAX_SAMPLES]
    of_all = pace.fit([one.asked for one in newest], usual)
    speed = of_all.speed
    if any(one.asked != one.brought for one in newest):
        speed = pace.fit([one.brought for one in newest], usual).speed
    by_model: dict[str, list[Sample]] = defaultdict(list)
    for one in done:
        by_model[one.model].append(one.asked)
    if len(by_model) == 1:
        return Measured(speed, of_all, dict.fromkeys(by_model, of_all))
    of_models = {
        model: pace.fit(samples[:MAX_SAMPLES], before.get(model, of_all))
        for model, samples in by_model.items()
    }
    return Measured(speed, of_all, of_models)


_LAST = (
    select(
        _attempts.c.kind,
        _attempts.c.request_id,
        _attempts.c.model,
        _attempts.c.things,
        func.coalesce(_jobs.c.things, _attempts.c.things).label("asked"),
        _attempts.c.started_at,
        _attempts.c.ended_at,
        _attempts.c.outcome,
    )
    .join(_jobs, _jobs.c.id == _attempts.c.job_id, isouter=True)
    .where(
        _attempts.c.worker_id == bindparam("worker"),
        _attempts.c.ended_at.is_not(None),
        _attempts.c.outcome.in_((Outcome.DONE, Outcome.FAULTED)),
    )
    .order_by(_attempts.c.ended_at.desc())
    .limit(MAX_ATTEMPTS)
)


class _Tried(NamedTuple):
    """An attempt, by the columns of `_LAST`."""

    kind: str
    request_id: UUID
    model: str
    things: int
    asked: int
    """Its size as ordered."""
    started_at: datetime
    ended_at: datetime
    outcome: int


class _Done(NamedTuple):
    kind: str
    model: str
    asked: Sample
    """With the size as ordered: for a text, the most tokens."""
    brought: Sample
    """With the size as delivered."""


def _done(last: Sequence[_Tried], threads: int) -> list[_Done]:
    """The batches that were delivered, the newest first, each with the time that went into it.

    A worker takes its next jobs while it is still busy with others. So the time of a batch begins
    when a thread became free, if that was after it was taken.
    """
    batches: dict[tuple[UUID, datetime], list[_Tried]] = defaultdict(list)
    for attempt in last:
        batches[attempt.request_id, attempt.started_at].append(attempt)
    if len(last) == MAX_ATTEMPTS and len(batches) > 1:
        batches.popitem()  # some of its jobs may be beyond the last of these
    in_turn = sorted(batches.values(), key=_end)
    done: list[_Done] = []
    for number, batch in enumerate(in_turn):
        begin = batch[0].started_at
        if number >= threads:
            begin = max(begin, _end(in_turn[number - threads]))
        seconds = max((_end(batch) - begin).total_seconds(), MIN_SECONDS)
        made = [one for one in batch if one.outcome == Outcome.DONE and one.things > 0]
        if made:
            asked = Sample(len(made), sum(one.asked for one in made), seconds)
            brought = asked._replace(things=sum(one.things for one in made))
            done.append(_Done(made[0].kind, made[0].model, asked, brought))
    return done[::-1]


def _end(batch: Iterable[_Tried]) -> datetime:
    return max(attempt.ended_at for attempt in batch)
