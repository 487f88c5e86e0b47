"""Check-in: a pop is how a worker says that it is there and what it serves."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.catalog import models as catalog
from core.catalog.agents import Agent
from core.db import AnyRow, table
from core.errors import Forbidden, Invalid
from core.queue.matching import UNLIMITED, Offer
from core.users.tables import Role, User
from core.workers.tables import Worker

ONLINE = timedelta(seconds=300)
"""How long after its last check-in a worker counts as there."""
WRITTEN_EVERY = timedelta(seconds=30)
LEAST_SPEED = {"image": 500_000.0}
"""Things a second below which a worker is slow."""
MOST_MODELS = 300
MOST_BLACKLISTED, LONGEST_BLACKLISTED = 200, 15
LONGEST_NAME = 100
LONGEST_USER_ID = 9  # digits, all of which databases hold
MOST_WORKERS_UNTRUSTED, MOST_WORKERS = 3, 20
USUAL_STEPS = 30  # mean of the usual least (20) and most (40) steps; `limit_max_steps`
REFUSED_NAMES = re.compile(r"colab|tpu|google", re.IGNORECASE)

_workers = table(Worker)


class AnonForbiddenWorker(Forbidden):
    """The anonymous user owns no workers."""

    code = "AnonForbiddenWorker"


class DeletedUser(Forbidden):
    """The account is deleted."""

    code = "DeletedUser"


class WorkerFlagged(Forbidden):
    """The owner is flagged by the moderators."""

    code = "WorkerFlaggedMaintenance"


class WrongCredentials(Forbidden):
    """The worker is another user's."""

    code = "WrongCredentials"


class NameTaken(Invalid):
    """A worker of another kind has the name."""

    code = "PolymorphicNameConflict"


class TooManyWorkers(Forbidden):
    """The owner has as many workers as an untrusted user may."""

    code = "TooManyWorkers"


class TooManyWorkersTrusted(Forbidden):
    """The owner has as many workers as anybody may."""

    code = "TooManyWorkersTrusted"


class InvalidPriorityUsername(Invalid):
    """A prioritised user is not named as `name#id`."""

    code = "InvalidPriorityUsername"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What a worker says in a pop, checked for form only."""

    kind: str
    name: str
    agent: str
    program: Agent
    threads: int
    models: Sequence[str]
    permissions: frozenset[str]
    nsfw: bool
    extra_slow: bool
    only_covered: bool
    blacklist: Iterable[str]
    priority_usernames: Iterable[str]
    max_pixels: int = UNLIMITED
    limit_steps: bool = False


@dataclass(frozen=True, slots=True)
class CheckedIn:
    """A worker that may claim now."""

    id: UUID
    name: str
    offer: Offer
    paused: bool
    maintenance: bool
    maintenance_message: str | None
    is_new: bool


async def check_in(
    session: AsyncSession, owner: User, declared: Declared, *, at: datetime
) -> CheckedIn:
    """Take down what a worker declares, creating it on first sight.

    What has not changed is written again every 30 s only.
    """
    _check_owner(owner)
    name = " ".join(declared.name.split())[:LONGEST_NAME]
    row = (await session.execute(_BY_NAME, {"key": name.casefold()})).first()
    if row is None:
        await _check_new(session, owner, name)
    elif row.user_id != owner.id:
        raise WrongCredentials(f"Wrong credentials to submit as the worker {name}.")
    elif row.kind != declared.kind:
        raise NameTaken(f"{name} is the name of a worker of another kind ({row.kind}).")
    worker_id = row.id if row is not None else uuid4()
    offer = _offer(worker_id, owner, declared, speed=row.speed if row is not None else None)
    if row is None:
        await _add(session, worker_id, owner, name, declared, offer, at)
    elif at - row.seen_at >= WRITTEN_EVERY or _changed(row, declared, offer):
        await _write(session, row, declared, offer, at)
    return CheckedIn(
        id=worker_id,
        name=row.name if row is not None else name,
        offer=offer,
        paused=row is not None and row.paused,
        maintenance=row is not None and row.maintenance,
        maintenance_message=row.maintenance_message if row is not None else None,
        is_new=row is None,
    )


_BY_NAME = select(_workers).where(_workers.c.name_key == bindparam("key"))


def _check_owner(owner: User) -> None:
    if owner.is_anonymous:
        raise AnonForbiddenWorker("Anonymous users cannot run workers. Please register.")
    if owner.has(Role.DELETED):
        raise DeletedUser("This account is deleted and cannot run workers.")
    if owner.has(Role.FLAGGED):
        raise WorkerFlagged("Your account is flagged; your workers are in maintenance mode.")


async def _check_new(session: AsyncSession, owner: User, name: str) -> None:
    if not name:
        raise Invalid("A worker needs a name.")
    if REFUSED_NAMES.search(name):
        raise Invalid("Please choose a name for your worker that does not name a cloud service.")
    owned = await session.scalar(
        select(func.count()).select_from(_workers).where(_workers.c.user_id == owner.id)
    )
    if (owned or 0) >= max(MOST_WORKERS, owner.worker_invited):
        raise TooManyWorkersTrusted(f"You have {owned} workers; ask the moderators for more.")
    limit = max(MOST_WORKERS_UNTRUSTED, owner.worker_invited)
    if (owned or 0) >= limit and not owner.has(Role.TRUSTED):
        raise TooManyWorkers(f"You have {owned} workers; only trusted users may have more.")


def _offer(worker_id: UUID, owner: User, declared: Declared, *, speed: float | None) -> Offer:
    models = _models(owner, declared)
    words = (word.strip().lower()[:LONGEST_BLACKLISTED] for word in declared.blacklist)
    least = LEAST_SPEED.get(declared.kind, 0.0)
    return Offer(
        kind=declared.kind,
        worker_id=str(worker_id),
        user_id=owner.id,
        models=frozenset(models),
        features=declared.program.features,
        permissions=declared.permissions,
        nsfw=declared.nsfw,
        trusted=owner.has(Role.TRUSTED),
        fast=speed is None or speed >= least,
        extra_slow=declared.extra_slow,
        only_covered=declared.only_covered,
        pixels=declared.max_pixels,
        steps=USUAL_STEPS if declared.limit_steps else UNLIMITED,
        blacklist=frozenset([word for word in words if word][:MOST_BLACKLISTED]),
        users=frozenset({owner.id, *_user_ids(declared.priority_usernames)}),
    )


def _models(owner: User, declared: Declared) -> list[str]:
    """The declared models that the horde knows; customizers may bring any."""
    models = list(dict.fromkeys(declared.models))[:MOST_MODELS]
    if declared.kind == "image" and not (owner.has(Role.CUSTOMIZER) or owner.has(Role.SPECIAL)):
        models = [name for name in models if name in catalog.known()]
    if not models:
        raise Invalid(
            "Unfortunately we cannot accept workers serving none of the models this horde knows: "
            f"{', '.join(declared.models) or 'no model was named'}."
        )
    return models


def _user_ids(usernames: Iterable[str]) -> Iterable[int]:
    for username in usernames:
        digits = username.rpartition("#")[2]
        is_id = digits.isdecimal() and len(digits) <= LONGEST_USER_ID
        if "#" not in username or not is_id:
            raise InvalidPriorityUsername(f"{username[:LONGEST_NAME]} is not of the form name#id.")
        yield int(digits)


def _changed(row: AnyRow, declared: Declared, offer: Offer) -> bool:
    return bool(
        row.offer != offer.to_json()
        or row.agent != declared.agent
        or row.threads != declared.threads
    )


async def _add(
    session: AsyncSession,
    worker_id: UUID,
    owner: User,
    name: str,
    declared: Declared,
    offer: Offer,
    at: datetime,
) -> None:
    await session.execute(
        insert(_workers).values(
            id=worker_id,
            kind=declared.kind,
            name=name,
            name_key=name.casefold(),
            user_id=owner.id,
            created_at=at,
            seen_at=at,
            agent=declared.agent,
            threads=declared.threads,
            offer=offer.to_json(),
        )
    )


async def _write(
    session: AsyncSession, row: AnyRow, declared: Declared, offer: Offer, at: datetime
) -> None:
    away = at - row.seen_at
    counts = away < ONLINE and not row.paused and not row.maintenance
    served = round(away.total_seconds()) if counts else 0
    await session.execute(
        update(_workers)
        .where(_workers.c.id == row.id)
        .values(
            seen_at=at,
            agent=declared.agent,
            threads=declared.threads,
            offer=offer.to_json(),
            uptime_seconds=_workers.c.uptime_seconds + served,
        )
    )


async def online(session: AsyncSession, *, at: datetime) -> Sequence[AnyRow]:
    """All workers seen within the last 300 s."""
    return (await session.execute(select(_workers).where(_workers.c.seen_at > at - ONLINE))).all()


async def by_id(session: AsyncSession, worker_id: UUID) -> AnyRow | None:
    """The worker, also one that is away, or None."""
    return (await session.execute(select(_workers).where(_workers.c.id == worker_id))).first()


async def by_name(session: AsyncSession, name: str) -> AnyRow | None:
    """The worker of that name in any case, or None."""
    return (await session.execute(_BY_NAME, {"key": name.casefold()})).first()


async def missing(session: AsyncSession, ids: Iterable[UUID]) -> set[UUID]:
    """Which of these ids are no worker's."""
    wanted = set(ids)
    found = await session.scalars(select(_workers.c.id).where(_workers.c.id.in_(wanted)))
    return wanted - set(found)


async def names(session: AsyncSession, ids: Iterable[UUID]) -> dict[UUID, str]:
    """Names of these workers by id."""
    rows = await session.execute(
        select(_workers.c.id, _workers.c.name).where(_workers.c.id.in_(set(ids)))
    )
    return {row.id: row.name for row in rows}


async def ids_of(session: AsyncSession, user_id: int) -> Sequence[UUID]:
    """The ids of the user's workers, the oldest first."""
    found = await session.scalars(
        select(_workers.c.id).where(_workers.c.user_id == user_id).order_by(_workers.c.created_at)
    )
    return found.all()
