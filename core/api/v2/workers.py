"""`workers`: who makes the pictures."""

from typing import Any
from uuid import UUID

from quart import Blueprint, request
from sqlalchemy.ext.asyncio import AsyncSession

from core.api import context
from core.api.limits import Limit
from core.api.operation import by_address, by_path, operation
from core.db import AnyRow, now
from core.errors import NotFound, Unauthenticated
from core.queue.matching import UNLIMITED, Offer
from core.users import directory
from core.users.tables import Role, User
from core.wire.kudos import to_wire
from core.wire.workers import WorkerDetails, WorkerKudosDetails
from core.workers import fleet

blueprint = Blueprint("workers", __name__)

TYPES = {"image": "image", "text": "text", "interrogation": "alchemy"}
MEGA = 1_000_000


class WorkerNotFound(NotFound):
    """No such worker."""

    code = "WorkerNotFound"


@blueprint.get("/workers")
@operation(
    answers={200: list[WorkerDetails]},
    limit=by_address(),
    omit_nulls=True,
    query={"type": "image, text or interrogation", "name": "the worker's name, in any case"},
)
async def get_workers() -> list[WorkerDetails]:
    """List workers that were seen in the last 300 seconds."""
    name, kind = request.args.get("name"), TYPES.get(request.args.get("type", ""))
    async with context.server().database.reading() as session:
        by_moderator = await _asked_by_moderator(session)
        rows = await fleet.online(session, at=now())
        if name:
            rows = [row for row in rows if row.name_key == name.casefold()]
        elif kind:
            rows = [row for row in rows if row.kind == kind]
        owners = await directory.by_ids(session, {row.user_id for row in rows})
    return [_details(row, owners[row.user_id], by_moderator=by_moderator) for row in rows]


@blueprint.get("/workers/<worker_id>")
@operation(
    answers={200: WorkerDetails}, limit=by_path(Limit(30, 60)), omit_nulls=True, errors=(404,)
)
async def get_worker(worker_id: str) -> WorkerDetails:
    """See a worker, also one that is away."""
    async with context.server().database.reading() as session:
        try:
            row = await fleet.by_id(session, UUID(worker_id))
        except ValueError:
            row = None
        return await _found(session, row, f"Worker with ID '{worker_id}' not found.")


@blueprint.get("/workers/name/<path:worker_name>")
@operation(answers={200: WorkerDetails}, limit=by_address(), omit_nulls=True, errors=(404,))
async def get_worker_by_name(worker_name: str) -> WorkerDetails:
    """See the worker of a name, in any case."""
    async with context.server().database.reading() as session:
        row = await fleet.by_name(session, worker_name)
        return await _found(session, row, f"Worker with name '{worker_name}' not found.")


async def _found(session: AsyncSession, row: AnyRow | None, missing: str) -> WorkerDetails:
    if row is None:
        raise WorkerNotFound(missing)
    owner = await directory.by_id(session, row.user_id)
    return _details(row, owner, by_moderator=await _asked_by_moderator(session))


async def _asked_by_moderator(session: AsyncSession) -> bool:
    """A wrong key is nobody here: the contract ignores it."""
    try:
        return await context.is_moderator(session)
    except Unauthenticated:
        return False


def _details(row: AnyRow, owner: User, *, by_moderator: bool) -> WorkerDetails:
    offer = Offer.from_json(row.offer)
    is_image = row.kind == "image"
    told = owner.public_workers or by_moderator
    return WorkerDetails(
        type="interrogation" if row.kind == "alchemy" else row.kind,
        name=row.name,
        id=str(row.id),
        online=now() - row.seen_at <= fleet.ONLINE,
        requests_fulfilled=row.fulfilled,
        kudos_rewards=to_wire(row.kudos_generated + row.kudos_uptime),
        kudos_details=WorkerKudosDetails(
            generated=to_wire(row.kudos_generated),
            uptime=row.kudos_uptime // 100 if row.kudos_uptime else None,
        ),
        performance=_performance(row),
        threads=row.threads,
        uptime=row.uptime_seconds,
        maintenance_mode=row.maintenance,
        paused=row.paused if by_moderator else None,
        info=row.info,
        nsfw=offer.nsfw,
        owner=owner.alias if told else None,
        trusted=owner.has(Role.TRUSTED),
        flagged=owner.has(Role.FLAGGED),
        suspicious=0 if by_moderator else None,
        uncompleted_jobs=row.uncompleted,
        models=sorted(offer.models),
        contact=owner.contact if by_moderator else None,
        bridge_agent=row.agent,
        max_pixels=offer.pixels if is_image and offer.pixels < UNLIMITED else None,
        megapixelsteps_generated=float(round(row.things / MEGA)) if is_image else None,
        **_abilities(offer),
    )


def _abilities(offer: Offer) -> dict[str, Any]:
    if offer.kind != "image":
        return {}
    return {name: kind in offer.permissions for name, kind in _ABILITIES.items()}


_ABILITIES = {
    "img2img": "img2img",
    "painting": "painting",
    "post_processing": "post-processing",
    "lora": "lora",
    "controlnet": "controlnet",
    "sdxl_controlnet": "sdxl_controlnet",
}


def _performance(row: AnyRow) -> str:
    if row.speed is None:
        return "No requests fulfilled yet"
    if row.kind == "image":
        return f"{row.speed / MEGA:.1f} megapixelsteps per second"
    unit = "tokens per second" if row.kind == "text" else "seconds per form"
    return f"{row.speed:.1f} {unit}"
