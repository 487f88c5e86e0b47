"""Status: how far a request is, what to expect, and what is finished of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.db import AnyRow, now
from core.errors import NotFound
from core.generation.horde import Horde
from core.kinds import registry
from core.queue import attempts, forecast, progress
from core.queue.forecast import Outlook
from core.queue.progress import Progress
from core.workers import fleet


class RequestNotFound(NotFound):
    """No such request, or it is over."""

    code = "RequestNotFound"


@dataclass(frozen=True, slots=True)
class Status:
    """A request at one moment, with what it may expect."""

    progress: Progress
    outlook: Outlook
    """`position` is 0 where nothing waits."""

    @property
    def consumed(self) -> int:
        """Hundredths of a kudos so far, the tax included."""
        return self.progress.charged + int(self.progress.terms["tax"])


async def look(
    session: AsyncSession, horde: Horde, request_id: str, *, kind: str | None = None
) -> Status:
    """How far the request is. Raises RequestNotFound, also where it is of another kind."""
    at = now()
    found = await progress.of(session, parsed(request_id), at=at)
    if found is None or kind not in (None, found.kind):
        raise RequestNotFound(f"Request with ID '{request_id}' not found.")
    await horde.online.refresh(session, at=at)
    return Status(found, await _outlook(session, horde, found))


def parsed(request_id: str) -> UUID:
    """The id of a request as clients send it. Raises RequestNotFound."""
    try:
        return UUID(request_id)
    except ValueError:
        raise RequestNotFound(f"Request with ID '{request_id}' not found.") from None


async def _outlook(session: AsyncSession, horde: Horde, found: Progress) -> Outlook:
    if found.done:
        return Outlook(possible=True, position=0, seconds=0)
    running = 0 if not found.processing else await _running(session, horde, found)
    if found.rank is None or found.job_id is None:
        return Outlook(possible=True, position=0, seconds=running)
    ahead = await forecast.outlook(
        session,
        horde.lanes,
        horde.online.serving,
        found.needs,
        rank=found.rank,
        job_id=found.job_id,
        things=found.things_waiting,
        usual_speed=registry.of(found.kind).usual_speed,
    )
    possible = ahead.possible or found.processing > 0
    return Outlook(possible, ahead.position, ahead.seconds + running)


async def _running(session: AsyncSession, horde: Horde, found: Progress) -> int:
    """Seconds until the last running job is done, by its worker's measured speed."""
    speeds = {row.id: row.speed for row in horde.online.workers}
    at = now()
    remaining = [
        row.things / (speeds.get(row.worker_id) or registry.of(found.kind).usual_speed)
        - (at - row.started_at).total_seconds()
        for row in await progress.alive(session, found.request_id)
    ]
    return round(max(0.0, *remaining)) if remaining else 0


async def finished(session: AsyncSession, request_id: UUID) -> Sequence[AnyRow]:
    """What is finished, in order: rows of `generations` with their `charge`."""
    return await attempts.generations(session, request_id)


@dataclass(frozen=True, slots=True)
class JobView:
    """One job for who watches the request."""

    number: int
    state: int
    worker_id: UUID | None
    worker_name: str | None
    feature: str | None
    """What it alone asks for: a form."""
    faults: int = 0
    """How many workers' tries failed."""
    reason: str | None = None
    """Why the last of them did, in the worker's words."""


async def jobs_of(session: AsyncSession, request_id: UUID) -> list[JobView]:
    """The request's jobs in order, with the workers that have or had them last."""
    rows = await progress.jobs(session, request_id)
    ids = {row.worker_id for row in rows if row.worker_id}
    names = await fleet.names(session, ids) if ids else {}
    return [
        JobView(
            row.number,
            row.state,
            row.worker_id,
            names.get(row.worker_id),
            row.feature,
            row.faults,
            row.reason,
        )
        for row in rows
    ]
