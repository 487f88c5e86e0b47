"""Pop: a worker checks in and gets the best jobs it can serve."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.catalog import models as catalog
from core.db import AnyRow, now
from core.errors import Forbidden
from core.generation.horde import Horde
from core.kinds.image import ImageParams
from core.queue import attempts, claim
from core.queue.claim import Claim
from core.queue.matching import Offer
from core.users.tables import User
from core.workers import fleet
from core.workers.fleet import CheckedIn
from core.workers.offers import Declared

EXTRA_SLOW_LIFE = 3
"""A request lives three times as long once an extra-slow worker has it."""


class WorkerMaintenance(Forbidden):
    """The worker is in maintenance and there is nothing of its own users to do."""

    code = "WorkerMaintenance"


@dataclass(frozen=True, slots=True)
class Work:
    """Jobs of one request for one worker."""

    request_id: UUID
    attempt_ids: list[UUID]
    """One for each picture; also the pictures' names."""
    model: str
    prompt: str
    params: ImageParams
    seed: int
    """Of the first picture; each further one's is the next number."""
    seconds: int
    """Until the attempts are given up."""
    is_decoy: bool = False


@dataclass(frozen=True, slots=True)
class Popped:
    """What a pop found."""

    worker: CheckedIn
    work: Work | None
    skipped: dict[str, int]
    """Where there is no work: how many waiting jobs each condition kept from this worker."""


async def pop(
    session: AsyncSession, horde: Horde, owner: User, declared: Declared, *, amount: int
) -> Popped:
    """Check the worker in and claim up to `amount` jobs of one request for it.

    A worker in maintenance still serves its owner's and prioritised users' jobs, else it is told
    so (WorkerMaintenance; its check-in stands). A paused worker gets a decoy.
    """
    at = now()
    worker = await fleet.check_in(session, owner, declared, at=at)
    if worker.is_new:
        horde.online.forget()
    found = await claim.claim(
        session,
        horde.lanes,
        worker.offer,
        at=at,
        only_own=worker.maintenance or worker.paused,
        batch=lambda request: _batch(request, amount, worker.offer),
    )
    if found is not None:
        return Popped(worker, await _start(session, horde, owner, worker, found, at), {})
    if worker.paused and (decoy := await _decoy(session, horde, owner, worker, at)) is not None:
        return Popped(worker, decoy, {})
    await horde.counts.refresh(session)
    return Popped(worker, None, horde.counts.skipped(horde.lanes, worker.offer))


def refuse_maintenance(worker: CheckedIn) -> None:
    """Raise WorkerMaintenance for a worker that found nothing. After the commit of its check-in."""
    if worker.maintenance:
        raise WorkerMaintenance(
            worker.maintenance_message
            or "This worker has been put into maintenance mode by its owner or a moderator."
        )


async def announce(horde: Horde, popped: Popped) -> None:
    """Tell who watches the request that it is being worked on."""
    if popped.work is not None and not popped.work.is_decoy:
        await horde.changed(popped.work.request_id, "processing")


def _batch(request: AnyRow, amount: int, offer: Offer) -> int:
    return ImageParams.from_json(request.params).safe_batch(amount, offer.pixels)


async def _start(
    session: AsyncSession,
    horde: Horde,
    owner: User,
    worker: CheckedIn,
    found: Claim,
    at: datetime,
) -> Work:
    request = found.request
    params, model, seconds = _shape(request, worker.offer)
    life = horde.life * (EXTRA_SLOW_LIFE if worker.offer.extra_slow else 1)
    ids = await attempts.start(
        session,
        found,
        worker_id=worker.id,
        owner_id=owner.id,
        model=model,
        at=at,
        deadline=at + timedelta(seconds=seconds),
        expires_at=at + life,
    )
    return Work(request.id, ids, model, request.prompt, params, found.jobs[0].seed, seconds)


async def _decoy(
    session: AsyncSession, horde: Horde, owner: User, worker: CheckedIn, at: datetime
) -> Work | None:
    """Work that looks like the best job the worker could have had. Nobody gets its result."""
    request = await claim.glimpse(session, horde.lanes, worker.offer, at=at)
    if request is None:
        return None
    params, model, seconds = _shape(request, worker.offer)
    attempt_id = await attempts.start_decoy(
        session,
        request,
        worker_id=worker.id,
        owner_id=owner.id,
        model=model,
        at=at,
        deadline=at + timedelta(seconds=seconds),
    )
    seed = random.randrange(2**32)  # noqa: S311 - nothing secret
    return Work(
        request.id, [attempt_id], model, request.prompt, params, seed, seconds, is_decoy=True
    )


def _shape(request: AnyRow, offer: Offer) -> tuple[ImageParams, str, int]:
    """What is to be made, with which model, and the seconds that it may take."""
    params = ImageParams.from_json(request.params)
    model = choose_model(request.needs.get("models", []), offer)
    baseline = catalog.image_model(model).baseline
    return params, model, params.seconds(baseline, extra_slow=offer.extra_slow)


def choose_model(asked: list[str], offer: Offer) -> str:
    """One of the models that the request names and the worker has, by chance."""
    both = sorted(offer.models.intersection(asked) if asked else offer.models)
    return random.choice(both)  # noqa: S311 - nothing secret
