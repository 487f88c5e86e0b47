"""Check-in: by a pop a worker says that it is online and what it serves."""

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Select, bindparam, select, update

from core import dialects
from core.db import Reading, Writing, table
from core.errors import Forbidden, Invalid, NotFound
from core.moderation import names as visible
from core.prepared import prepared
from core.queue.matching import UNLIMITED, Offer
from core.users.tables import Reason, User
from core.workers import admission, conduct
from core.workers.admission import OPEN, CheckinContext
from core.workers.offers import Declared, left_out, offer_of
from core.workers.tables import Worker, WorkerRow

ONLINE = timedelta(seconds=300)
"""How long after its last check-in a worker counts as online."""
WRITTEN_EVERY = timedelta(seconds=30)
ADDRESS_KEPT = timedelta(days=7)
MAX_NAME_CHARS, MAX_KEY_CHARS = 100, 200
EXTREME_NAME = 200
MAX_PIXELS_UNTRUSTED = 3072 * 3072
"""The largest area that an untrusted owner's worker is believed to make."""

_workers = table(WorkerRow)


class WrongCredentials(Forbidden):
    """The worker is another user's."""

    code = "WrongCredentials"


class NameTaken(Invalid):
    """A worker of another kind has the name."""

    code = "PolymorphicNameConflict"


class WorkerNotFound(NotFound):
    """No such worker."""

    code = "WorkerNotFound"


@dataclass(frozen=True, slots=True)
class CheckedIn:
    """A worker that may claim now."""

    id: UUID
    name: str
    offer: Offer
    paused: bool = False
    maintenance: bool = False
    maintenance_message: str | None = None
    is_new: bool = True
    left_out: Sequence[str] = ()
    """The models that it named and may not serve."""


async def check_in(
    session: Writing,
    owner: User,
    declared: Declared,
    *,
    at: datetime,
    context: CheckinContext = OPEN,
) -> CheckedIn:
    """Record what a worker declares, creating it on first sight.

    If nothing has changed, it is written every 30 s only.
    """
    await admission.check_owner(session, owner, context, at=at)
    name = clean_name(declared.name)
    declared = replace(declared, agent=visible.clean(declared.agent))
    row = await by_name(session, name)
    if row is None:
        await admission.check_new(session, owner, name, context)
        admission.check_agent(declared.agent)
        worker_id = uuid4()
        offer = offer_of(worker_id, owner, declared, speed=None)
        if await _add(session, worker_id, owner, name, declared, offer, context, at):
            await _suspect(session, owner, worker_id, declared, at)
            return CheckedIn(
                worker_id,
                name,
                offer,
                paused=admission.gets_decoys(owner, context),
                left_out=left_out(declared, offer),
            )
        added = await session.execute(_BY_NAME, {"key": key_of(name)})
        row = Worker(*added.one())  # just made
    if row.user_id != owner.id:
        raise WrongCredentials(f"Wrong credentials to submit as the worker {name}.")
    if row.kind != declared.kind:
        raise NameTaken(f"{name} is the name of a worker of another kind ({row.kind}).")
    offer = offer_of(row.id, owner, declared, speed=row.speed)
    if at - row.seen_at >= WRITTEN_EVERY or _changed(row, declared, offer, context):
        admission.check_agent(declared.agent)
        await _write(session, row, declared, offer, context, at)
    return CheckedIn(
        id=row.id,
        name=row.name,
        offer=offer,
        paused=row.paused or admission.gets_decoys(owner, context),
        maintenance=row.maintenance,
        maintenance_message=row.maintenance_message,
        is_new=False,
        left_out=left_out(declared, offer),
    )


async def _suspect(
    session: Writing, owner: User, worker_id: UUID, declared: Declared, at: datetime
) -> None:
    """Record suspicions about a new worker."""
    strange = {
        Reason.WORKER_NAME_LONG: len(declared.name) > MAX_NAME_CHARS,
        Reason.WORKER_NAME_EXTREME: len(declared.name) > EXTREME_NAME,
        Reason.EXTREME_MAX_PIXELS: MAX_PIXELS_UNTRUSTED < declared.max_pixels < UNLIMITED,
    }
    for reason in (reason for reason, is_so in strange.items() if is_so):
        await conduct.suspect(session, owner, worker_id, reason, at=at)


_BY_NAME = prepared(select(_workers).where(_workers.c.name_key == bindparam("key")))


def _changed(row: Worker, declared: Declared, offer: Offer, context: CheckinContext) -> bool:
    return bool(
        row.offer != offer.to_json()
        or row.agent != declared.agent
        or row.threads != declared.threads
        or row.address != context.address
    )


async def _add(
    session: Writing,
    worker_id: UUID,
    owner: User,
    name: str,
    declared: Declared,
    offer: Offer,
    context: CheckinContext,
    at: datetime,
) -> bool:
    """Add the worker. Returns False if another of its threads, or somebody else, was faster."""
    added = await session.execute(
        dialects.insert(session, _workers)
        .values(
            id=worker_id,
            kind=declared.kind,
            name=name,
            name_key=key_of(name),
            user_id=owner.id,
            created_at=at,
            seen_at=at,
            agent=declared.agent,
            threads=declared.threads,
            offer=offer.to_json(),
            address=context.address,
        )
        .on_conflict_do_nothing(index_elements=[_workers.c.name_key])
        .returning(_workers.c.id)
    )
    return added.first() is not None


async def _write(
    session: Writing,
    row: Worker,
    declared: Declared,
    offer: Offer,
    context: CheckinContext,
    at: datetime,
) -> None:
    """Record what changed and the uptime since, unless another thread just did."""
    away = at - row.seen_at
    counts = away < ONLINE and not row.paused and not row.maintenance
    served = round(away.total_seconds()) if counts else 0
    await session.execute(
        update(_workers)
        .where(_workers.c.id == row.id, _workers.c.seen_at == row.seen_at)
        .values(
            seen_at=at,
            agent=declared.agent,
            threads=declared.threads,
            offer=offer.to_json(),
            address=context.address,
            uptime_seconds=_workers.c.uptime_seconds + served,
        )
    )


async def forget_addresses(session: Writing, *, at: datetime) -> None:
    """Forget the addresses of workers that have been away for a week: no limit needs them."""
    await session.execute(
        update(_workers)
        .where(_workers.c.address.is_not(None), _workers.c.seen_at <= at - ADDRESS_KEPT)
        .values(address=None)
    )


async def online(session: Reading, *, at: datetime) -> list[Worker]:
    """All workers seen within the last 300 s."""
    rows = await session.execute(select(_workers).where(_workers.c.seen_at > at - ONLINE))
    return [Worker(*row) for row in rows]


async def by_id(session: Reading, worker_id: UUID) -> Worker | None:
    """The worker, even if it is offline, or None."""
    return await _one(session, _BY_ID, {"id": worker_id})


async def _one(
    session: Reading, statement: Select[*tuple[Any, ...]], which: dict[str, Hashable]
) -> Worker | None:
    (key,), rows = which.items(), session.remembered
    worker: Worker | None = rows.get(_workers.name, key)
    if worker is None:
        moment = rows.moment
        row = (await session.execute(statement, which)).first()
        if row is not None:
            worker = Worker(*row)
            rows.put(_workers.name, key, worker, read_at=moment)
    return worker


_BY_ID = prepared(select(_workers).where(_workers.c.id == bindparam("id")))


async def by_name(session: Reading, name: str) -> Worker | None:
    """The worker of that name, ignoring case, or None."""
    return await _one(session, _BY_NAME, {"key": key_of(clean_name(name))})


async def known(session: Reading, worker_id: str) -> Worker:
    """The worker, even if it is offline. Raises WorkerNotFound, also for text that is not an id."""
    try:
        found = await by_id(session, UUID(worker_id))
    except ValueError:
        found = None
    if found is None:
        raise WorkerNotFound(f"Worker with ID '{worker_id}' not found.")
    return found


def clean_name(name: str) -> str:
    """The name as it is stored: on one line, all of it visible, and cut if it is too long."""
    return visible.clean(name)[:MAX_NAME_CHARS].rstrip()


def key_of(name: str) -> str:
    """The name as it is compared, cut to fit, as case folding may make it longer."""
    return name.casefold()[:MAX_KEY_CHARS]


async def missing(session: Reading, ids: Iterable[UUID]) -> set[UUID]:
    """Which of these ids belong to no worker."""
    wanted = set(ids)
    found = await session.scalars(select(_workers.c.id).where(_workers.c.id.in_(wanted)))
    return wanted - set(found)


async def ids_of(session: Reading, user_ids: Collection[int]) -> Mapping[int, list[UUID]]:
    """The ids of these users' workers by user, each one's oldest first."""
    found: dict[int, list[UUID]] = defaultdict(list)
    rows = await session.execute(
        select(_workers.c.user_id, _workers.c.id)
        .where(_workers.c.user_id.in_(user_ids))
        .order_by(_workers.c.created_at, _workers.c.id)
    )
    for row in rows:
        found[row.user_id].append(row.id)
    return found


async def names(session: Reading, ids: Iterable[UUID]) -> dict[UUID, str]:
    """Names of these workers by id."""
    rows = await session.execute(
        select(_workers.c.id, _workers.c.name).where(_workers.c.id.in_(set(ids)))
    )
    return {row.id: row.name for row in rows}
