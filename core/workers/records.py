"""What is shown of workers and teams: sums and speed, written by upkeep."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, update

from core.db import Writing, table
from core.queue import measured
from core.queue.measured import ANY_MODEL, Measured
from core.queue.pace import Pace
from core.queue.rows import EndedAttempt
from core.queue.tables import Outcome
from core.workers.tables import TeamRow, Worker, WorkerRow

UPTIME_UNIT_SECONDS = 600
"""The stretch of uptime that is paid at once."""

MAX_PACES = 50
"""How many models' paces are kept for a worker: those that it served last."""

_workers = table(WorkerRow)
_teams = table(TeamRow)


async def add(session: Writing, ended: Sequence[EndedAttempt]) -> None:
    """Add ended attempts to the sums of workers and of the teams they were in.

    The speed of the workers is measured again.
    """
    worker_ids = sorted({one.worker_id for one in ended})
    known = {row.id: row for row in await session.execute(_PACES, {"ids": worker_ids})}
    for worker_id in worker_ids:
        if (worker := known.get(worker_id)) is None:
            continue
        seen = await measured.measure(
            session, worker_id, threads=max(1, worker.threads), before=paces_of(worker.paces)
        )
        own = [one for one in ended if one.worker_id == worker_id]
        done = [one for one in own if one.outcome == Outcome.DONE]
        await session.execute(
            update(_workers)
            .where(_workers.c.id == worker_id)
            .values(
                fulfilled=_workers.c.fulfilled + len(done),
                things=_workers.c.things + sum(one.things for one in done),
                kudos_generated=_workers.c.kudos_generated + sum(one.reward for one in done),
                uncompleted=_workers.c.uncompleted + len(own) - len(done),
                **_speeds(seen, worker.paces or {}),
            )
        )
    for team_id in sorted({one.team_id for one in ended if one.team_id is not None}):
        done = [one for one in ended if one.team_id == team_id]
        kudos = sum(one.reward for one in done)
        await _add_to_team(session, team_id, fulfilled=len(done), kudos=kudos)


_PACES = select(_workers.c.id, _workers.c.threads, _workers.c.paces).where(
    _workers.c.id.in_(bindparam("ids", expanding=True))
)


def paces_of(stored: Mapping[str, list[float]] | None) -> dict[str, Pace]:
    """A worker's paces by model and, under ANY_MODEL, at any model."""
    return {model: Pace(*parts) for model, parts in (stored or {}).items()}


def _speeds(seen: Measured | None, known: dict[str, list[float]]) -> dict[str, Any]:
    """The columns of a worker's speed; for other models what was known stays."""
    if seen is None:
        return {}
    paces = {ANY_MODEL: seen.pace, **seen.of_models}
    told = {model: [float(f"{part:.4g}") for part in pace] for model, pace in paces.items()}
    others = {model: pace for model, pace in known.items() if model not in told}
    return {"speed": seen.speed, "paces": dict(islice((told | others).items(), MAX_PACES))}


async def _add_to_team(
    session: Writing, team_id: UUID, *, fulfilled: int = 0, kudos: int = 0, seconds: int = 0
) -> None:
    await session.execute(
        update(_teams)
        .where(_teams.c.id == team_id)
        .values(
            fulfilled=_teams.c.fulfilled + fulfilled,
            kudos=_teams.c.kudos + kudos,
            uptime_seconds=_teams.c.uptime_seconds + seconds,
        )
    )


async def due_uptime(session: Writing, *, limit: int) -> list[Worker]:
    """Workers that have been online for another 600 s, in the order of their ids, locked."""
    due = (
        select(_workers)
        .where(
            _workers.c.uptime_seconds - _workers.c.uptime_rewarded_seconds >= UPTIME_UNIT_SECONDS
        )
        .order_by(_workers.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [Worker(*row) for row in await session.execute(due)]


async def mark_paid(session: Writing, worker: Worker, *, up_to: int, kudos: int) -> None:
    """Record that uptime is paid up to this many seconds. kudos: the hundredths that were paid."""
    await session.execute(
        update(_workers)
        .where(_workers.c.id == worker.id)
        .values(uptime_rewarded_seconds=up_to, kudos_uptime=_workers.c.kudos_uptime + kudos)
    )
    if worker.team_id is not None:
        seconds = up_to - worker.uptime_rewarded_seconds
        await _add_to_team(session, worker.team_id, kudos=kudos, seconds=seconds)


async def put_into_maintenance(session: Writing, worker_id: UUID, *, message: str) -> None:
    """Stop giving strangers' jobs to the worker."""
    await session.execute(
        update(_workers)
        .where(_workers.c.id == worker_id)
        .values(maintenance=True, maintenance_message=message)
    )
