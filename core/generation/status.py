"""Status: how far a request is, what to expect, and which results are finished."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from uuid import UUID

from core.db import Reading, now
from core.errors import NotFound
from core.generation.horde import Horde
from core.queue import forecast, progress
from core.queue.crews import Crews, models_of
from core.queue.forecast import Jobs, Outlook, Place
from core.queue.progress import Progress
from core.queue.results import Result
from core.queue.rows import Fault
from core.workers import fleet


class RequestNotFound(NotFound):
    """No such request, or it is over."""

    code = "RequestNotFound"


@dataclass(frozen=True, slots=True)
class Status:
    """A request at one moment, with what it may expect."""

    progress: Progress
    outlook: Outlook
    """`position` is 0 if nothing waits. `seconds` is 0 only if all is done: a request that nobody
    can serve waits for the rest of its life."""
    faults: Sequence[Fault] = ()
    """The jobs that workers failed at, including those that another worker has made since."""
    results: Sequence[Result] = ()
    """What is finished of it, in order, where that was looked for as well."""

    @property
    def consumed(self) -> int:
        """Hundredths of a kudos so far, the tax included."""
        return self.progress.charged + int(self.progress.terms["tax"])


async def look(
    session: Reading, horde: Horde, request_id: str, *, kind: str | None = None
) -> Status:
    """How far the request is. Raises RequestNotFound, also if it is of another kind."""
    at = now()
    found = await progress.of(session, parsed(request_id), at=at)
    if found is None or kind not in (None, found.kind):
        raise _not_found(request_id)
    return Status(found, await _outlook(session, horde, found, at), await _faults(session, found))


async def look_whole(
    session: Reading, horde: Horde, request_id: str, *, kind: str | None = None
) -> Status:
    """As `look`, with the results."""
    at = now()
    whole = await progress.whole(session, parsed(request_id), at=at)
    if whole is None or kind not in (None, whole[0].kind):
        raise _not_found(request_id)
    found, results = whole
    outlook = await _outlook(session, horde, found, at)
    return Status(found, outlook, await _faults(session, found), results)


def _not_found(request_id: str) -> RequestNotFound:
    return RequestNotFound(f"Request with ID '{request_id}' not found.")


async def _faults(session: Reading, found: Progress) -> list[Fault]:
    """The jobs that workers failed at; a request without faults costs no statement."""
    return await progress.faults(session, found.request_id) if found.restarted else []


def parsed(request_id: str) -> UUID:
    """Read a request's id as clients send it. Raises RequestNotFound."""
    try:
        return UUID(request_id)
    except ValueError:
        raise _not_found(request_id) from None


async def _outlook(session: Reading, horde: Horde, found: Progress, at: datetime) -> Outlook:
    if found.done:
        return Outlook(possible=True, position=0, seconds=0)
    await horde.online.refresh(session, at=at)
    await horde.lanes.refresh(session, found.lane_version)
    crews = horde.online.crews
    running = _running(crews, found, at) if found.processing else 0.0
    if found.rank is None or found.job_id is None:
        return Outlook(possible=True, position=0, seconds=ceil(running))
    place = Place(found.rank, found.job_id)
    own = _waiting(crews, found)
    ahead = await forecast.outlook(
        session, horde.lanes, crews, found.kind, own, place, horde.counts, at=at
    )
    if not ahead.possible and not found.processing:
        life = (found.expires_at - at).total_seconds()
        return Outlook(possible=False, position=ahead.position, seconds=max(1, ceil(life)))
    return Outlook(
        possible=True, position=ahead.position, seconds=max(ahead.seconds, ceil(running))
    )


def _waiting(crews: Crews, found: Progress) -> list[Jobs]:
    """The waiting jobs of the request, with the workers that may serve them."""
    counts = Counter(found.features_waiting)
    plain = found.waiting - counts.total()
    things = found.things_waiting / max(1, found.waiting)
    waiting = []
    for feature, count in ({None: plain} | counts).items():
        if count:
            needs = found.needs.of_job(feature)
            able = crews.roster.able(needs, found.prompt)
            waiting.append(Jobs(able, models_of(needs), count, round(things * count)))
    return waiting


def _running(crews: Crews, found: Progress, at: datetime) -> float:
    """The seconds until the last running job is done."""
    known, seconds = crews.left_of(found.request_id, at)
    if known >= found.processing:
        return seconds
    # It was taken after the last look: assume that it takes as long as any worker would need.
    able = crews.roster.able(found.needs, found.prompt)
    pace = crews.pace(able, found.kind, found.needs.models)
    threads = crews.threads(able)
    return max(seconds, pace.seconds(1, found.things_each) * max(1, threads))


@dataclass(frozen=True, slots=True)
class JobView:
    """One job, as watchers of the request see it."""

    number: int
    state: int
    worker_id: UUID | None
    worker_name: str | None
    feature: str | None
    """The form that it alone asks for."""
    faults: int = 0
    """How many workers' tries failed."""
    reason: str | None = None
    """Why the last of them did, in the worker's words."""


async def jobs_of(session: Reading, request_id: UUID) -> list[JobView]:
    """The request's jobs in order, each with the worker that has it or had it last."""
    jobs = await progress.jobs(session, request_id)
    ids = {job.worker_id for job in jobs if job.worker_id}
    names = await fleet.names(session, ids) if ids else {}
    return [
        JobView(
            job.number,
            job.state,
            job.worker_id,
            names.get(job.worker_id) if job.worker_id else None,
            job.feature,
            job.faults,
            job.reason,
        )
        for job in jobs
    ]
