"""Pop: a worker checks in and gets the best jobs it can serve."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from core.db import Writing, now
from core.errors import Forbidden
from core.generation import kind
from core.generation.horde import Horde
from core.kinds.params import EXTRA_SLOW, Params
from core.queue import attempts, claim
from core.queue.claim import Claim, Found
from core.queue.matching import Needs, Offer
from core.queue.rows import Request
from core.users.tables import User
from core.workers import fleet
from core.workers.admission import OPEN, CheckinContext
from core.workers.fleet import CheckedIn
from core.workers.offers import Declared
from core.workers.tables import Message

OTHERS_FIRST = timedelta(minutes=2)
"""How long a job is reserved for other workers after one failed at it, if there are others."""


class WorkerMaintenance(Forbidden):
    """The worker is in maintenance and none of its own users' jobs wait."""

    code = "WorkerMaintenance"


@dataclass(frozen=True, slots=True)
class Work:
    """Jobs of one request for one worker."""

    request_id: UUID
    attempt_ids: list[UUID]
    """One for each result; also the pictures' names."""
    model: str
    """The model that makes it; of an alchemist, the form."""
    number: int
    """Of the first job within the request."""
    prompt: str
    params: Params
    seed: int
    """The seed of the first picture; each further one has the next number."""
    seconds: int
    """Until the attempts are given up."""
    is_decoy: bool = False


@dataclass(frozen=True, slots=True)
class Popped:
    """What a pop found."""

    worker: CheckedIn
    works: Sequence[Work]
    """Of one request; alchemists may get forms of several, each a work of its own."""
    skipped: dict[str, int]
    """If there is no work: how many waiting jobs each condition kept from this worker."""
    messages: Sequence[Message] = ()
    """Messages for the worker: rows of `worker_messages`."""
    inconclusive: bool = False
    """If there is no work: others have jobs locked that fit, and may yet leave them."""

    @property
    def work(self) -> Work | None:
        """The first, if there is any."""
        return self.works[0] if self.works else None


async def pop(
    session: Writing,
    horde: Horde,
    owner: User,
    declared: Declared,
    *,
    amount: int,
    context: CheckinContext = OPEN,
    decoys: bool = True,
) -> Popped:
    """Check the worker in and claim up to `amount` jobs: of one request, or forms of several.

    A worker in maintenance still serves its owner's and prioritised users' jobs; otherwise it is
    told so (WorkerMaintenance; its check-in is kept). A paused worker gets a decoy, or nothing
    without `decoys`.
    """
    at = now()
    worker = await fleet.check_in(session, owner, declared, at=at, context=context)
    if worker.is_new:
        horde.online.forget()
    found = await _claim(session, horde, worker, declared.threads, amount, at)
    works = [await _start(session, horde, owner, worker, each, at) for each in found.claims]
    if not works and worker.paused and decoys:
        works = await _decoys(session, horde, owner, worker, at)
    await horde.message_cache.refresh(session, at=at)
    told = horde.message_cache.for_worker(worker.id, at=at)
    if works:
        return Popped(worker, works, {}, told)
    await horde.counts.refresh(session, horde.lanes, fresh=True)
    skipped = horde.counts.skipped(horde.lanes, worker.offer)
    return Popped(worker, (), skipped, told, inconclusive=found.inconclusive)


async def _claim(
    session: Writing, horde: Horde, worker: CheckedIn, threads: int, amount: int, at: datetime
) -> Found:
    """Jobs of one request, or for an alchemist forms of several until it has enough."""
    return await claim.claim(
        session,
        horde.lanes,
        worker.offer,
        at=at,
        only_own=worker.maintenance or worker.paused,
        batch=lambda request: _batch(request, amount, worker.offer),
        most=amount if kind.of(worker.offer.kind).rules.mixes_requests else 1,
        retry_pause=_retry_pause(horde, worker.offer, threads),
    )


def _retry_pause(horde: Horde, offer: Offer, threads: int) -> timedelta:
    """How long a job stays away from this worker after it failed at it: others go first."""
    others = _others_share_a_form if kind.of(offer.kind).rules.mixes_requests else _others_share
    return OTHERS_FIRST if others(horde, offer, threads) else claim.RETRY_PAUSE


def _others_share(horde: Horde, offer: Offer, threads: int) -> bool:
    """Whether another worker serves one of its models."""
    capacities = horde.online.capacities(offer.kind)
    return any(capacities[model].threads > threads for model in offer.models & capacities.keys())


def _others_share_a_form(horde: Horde, offer: Offer, _threads: int) -> bool:
    """Whether another alchemist serves one of its forms: they have no models."""
    return any(
        one.offer.kind == offer.kind
        and one.offer.worker_id != offer.worker_id
        and one.offer.features & offer.features
        for one in horde.online.serving
    )


def refuse_maintenance(worker: CheckedIn) -> None:
    """Raise WorkerMaintenance for a worker that found nothing. First commit its check-in."""
    if worker.maintenance:
        raise WorkerMaintenance(
            worker.maintenance_message
            or "This worker has been put into maintenance mode by its owner or a moderator."
        )


async def announce(horde: Horde, popped: Popped) -> None:
    """Tell the watchers of the requests that these are being worked on."""
    for request_id in {work.request_id for work in popped.works if not work.is_decoy}:
        await horde.changed(request_id, "processing")


def _batch(request: Request, amount: int, offer: Offer) -> int:
    params = kind.of(request.kind).rules.params_from(request.params)
    return params.safe_batch(amount, offer.pixels)


async def _start(
    session: Writing,
    horde: Horde,
    owner: User,
    worker: CheckedIn,
    found: Claim,
    at: datetime,
) -> Work:
    request, first = found.request, found.jobs[0]
    params, model, seconds = _shape(request, first.feature, worker.offer)
    life = horde.life * (EXTRA_SLOW if worker.offer.extra_slow else 1)
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
    return Work(request.id, ids, model, first.number, request.prompt, params, first.seed, seconds)


async def _decoys(
    session: Writing, horde: Horde, owner: User, worker: CheckedIn, at: datetime
) -> list[Work]:
    """A decoy: it looks like the best job the worker could have had. Nobody gets its result."""
    glimpsed = await claim.glimpse(session, horde.lanes, worker.offer, at=at)
    if glimpsed is None:
        return []
    request = glimpsed.request
    params, model, seconds = _shape(request, glimpsed.feature, worker.offer)
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
    return [
        Work(
            request.id,
            [attempt_id],
            model,
            glimpsed.number,
            request.prompt,
            params,
            seed,
            seconds,
            is_decoy=True,
        )
    ]


def _shape(request: Request, feature: str | None, offer: Offer) -> tuple[Params, str, int]:
    """What to make, with which model, and the seconds that it may take."""
    its = kind.of(request.kind)
    params = its.rules.params_from(request.params)
    model = choose_model(Needs.from_json(request.needs), feature, offer)
    seconds = params.seconds(its.baseline(model), extra_slow=offer.extra_slow)
    return params, model, seconds


def choose_model(needs: Needs, feature: str | None, offer: Offer) -> str:
    """A random one of the models that the request names and the worker would use; or the form."""
    if feature is not None:
        return kind.of(needs.kind).rules.model_of(feature)
    return random.choice(sorted(offer.models_for(needs)))  # noqa: S311 - nothing secret
