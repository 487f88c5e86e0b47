"""`workers`: the workers, and changes of them by owners and moderators."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from quart import Blueprint, request

from core.api import callers, context
from core.api.kept import Encoded, encoded
from core.api.limits import Limit
from core.api.operation import by_address, by_path, operation
from core.api.v2.messages import to_wire as message_to_wire
from core.db import Reading, now
from core.errors import Unauthenticated
from core.kinds import alchemy, registry
from core.kinds.params import MEGA
from core.queue.matching import UNLIMITED
from core.users import directory, suspicion
from core.users.tables import Role, User
from core.wire.kudos import to_wire
from core.wire.messages import ResponseModelMessage
from core.wire.workers import (
    DeletedWorker,
    ModifyWorker,
    ModifyWorkerInput,
    TeamDetailsLite,
    WorkerDetails,
    WorkerKudosDetails,
)
from core.workers import edits, fleet, messages, offers, teams
from core.workers.tables import Worker

blueprint = Blueprint("workers", __name__)

KUDO = 100  # hundredths


@blueprint.get("/workers")
@operation(
    answers={200: list[WorkerDetails]},
    limit=by_address(),
    query={"type": "image, text or interrogation", "name": "the worker's name, in any case"},
)
async def get_workers() -> list[WorkerDetails] | Encoded:
    """List workers that were seen in the last 300 seconds."""
    name, kind = request.args.get("name"), _kind(request.args.get("type"))
    server = context.server()
    async with server.database.reading() as session:
        if name:
            row = await fleet.by_name(session, name)
            is_there = row is not None and now() - row.seen_at <= fleet.ONLINE
            return [await _one(session, row)] if row is not None and is_there else []
        if await _asked_by_moderator(session):
            return await _listed(session, kind, by_moderator=True)
    return await server.lists.get(f"workers {kind}", partial(_public, kind))


def _kind(wanted: str | None) -> str | None:
    """The kind of a type of worker; None for all, and for unknown types."""
    return next((name for name, rules in registry.KINDS.items() if rules.type == wanted), None)


async def _public(kind: str | None) -> Encoded:
    """The list as everybody may see it."""
    async with context.server().database.reading() as session:
        listed = await _listed(session, kind, by_moderator=False)
    return encoded(listed)


async def _listed(session: Reading, kind: str | None, *, by_moderator: bool) -> list[WorkerDetails]:
    rows = await fleet.online(session, at=now())
    wanted = [row for row in rows if kind in (None, row.kind)]
    return await _details(session, wanted, by_moderator=by_moderator)


@blueprint.get("/workers/<worker_id>")
@operation(answers={200: WorkerDetails}, limit=by_path(Limit(30, 60)), errors=(404,))
async def get_worker(worker_id: str) -> WorkerDetails:
    """See a worker, even if it is offline."""
    async with context.server().database.reading() as session:
        worker = await fleet.known(session, worker_id)
        return await _one(session, worker)


@blueprint.get("/workers/name/<path:worker_name>")
@operation(answers={200: WorkerDetails}, limit=by_address(), errors=(404,))
async def get_worker_by_name(worker_name: str) -> WorkerDetails:
    """See the worker of a name, ignoring case."""
    async with context.server().database.reading() as session:
        row = await fleet.by_name(session, worker_name)
        if row is None:
            raise fleet.WorkerNotFound(f"Worker with name '{worker_name}' not found.")
        return await _one(session, row)


async def _one(session: Reading, row: Worker) -> WorkerDetails:
    by_moderator = await _asked_by_moderator(session)
    (details,) = await _details(session, [row], by_moderator=by_moderator)
    return details


@blueprint.put("/workers/<worker_id>")
@operation(
    body=ModifyWorkerInput,
    answers={200: ModifyWorker},
    limit=by_path(Limit(30, 60)),
    omit_nulls=True,
    key_required=True,
    errors=(400, 401, 403, 404),
)
async def change_worker(body: ModifyWorkerInput, worker_id: str) -> ModifyWorker:
    """Change a worker: its owner and moderators may; only moderators pause it."""
    server = context.server()
    wanted = edits.Change(
        maintenance=body.maintenance,
        maintenance_message=body.maintenance_msg,
        paused=body.paused,
        info=body.info,
        name=body.name,
        team=body.team,
    )
    async with callers.writing() as session:
        worker = await fleet.known(session, worker_id)
        user = await context.user(session)
        changed = await edits.change(session, user, worker, wanted)
    server.horde.online.forget()
    return ModifyWorker(**asdict(changed))


@blueprint.delete("/workers/<worker_id>")
@operation(answers={200: DeletedWorker}, limit=by_path(Limit(30, 60)), errors=(401, 403, 404, 423))
async def delete_worker(worker_id: str) -> DeletedWorker:
    """Delete a worker that has no job in hand."""
    server = context.server()
    async with callers.writing() as session:
        worker = await fleet.known(session, worker_id)
        await edits.remove(session, await context.user(session), worker)
    server.horde.online.forget()
    return DeletedWorker(deleted_id=str(worker.id), deleted_name=worker.name)


@dataclass(frozen=True, slots=True)
class _Around:
    """Data about workers from other tables, looked up once for all of them."""

    at: datetime
    by_moderator: bool
    owners: dict[int, User]
    teams: dict[UUID, str]
    suspicions: dict[UUID, int]
    """For moderators."""
    to_each: dict[UUID | None, list[ResponseModelMessage]]
    """Messages by worker; None: those to all workers."""


async def _details(
    session: Reading, rows: Sequence[Worker], *, by_moderator: bool
) -> list[WorkerDetails]:
    at = now()
    to_each: dict[UUID | None, list[ResponseModelMessage]] = {}
    for message in await messages.active(session, at=at):
        to_each.setdefault(message.worker_id, []).append(message_to_wire(message))
    ids = [row.id for row in rows] if by_moderator else []
    around = _Around(
        at,
        by_moderator,
        owners=await directory.by_ids(session, {row.user_id for row in rows}),
        teams=await teams.names(session, {row.team_id for row in rows if row.team_id}),
        suspicions=await suspicion.counts_of_workers(session, ids, at=at) if ids else {},
        to_each=to_each,
    )
    return [_detail(row, around) for row in rows]


async def _asked_by_moderator(session: Reading) -> bool:
    """A wrong key counts as none here: the contract ignores it."""
    try:
        return await context.is_moderator(session)
    except Unauthenticated:
        return False


def _detail(row: Worker, around: _Around) -> WorkerDetails:
    owner, by_moderator = around.owners[row.user_id], around.by_moderator
    is_told = owner.public_workers or by_moderator
    return WorkerDetails(
        type=registry.of(row.kind).type,
        name=row.name,
        id=str(row.id),
        online=around.at - row.seen_at <= fleet.ONLINE,
        requests_fulfilled=row.fulfilled,
        kudos_rewards=to_wire(row.kudos_generated + row.kudos_uptime),
        kudos_details=WorkerKudosDetails(
            generated=to_wire(row.kudos_generated),
            uptime=row.kudos_uptime // KUDO if row.kudos_uptime else None,
        ),
        performance=offers.performance(row),
        threads=row.threads,
        uptime=row.uptime_seconds,
        maintenance_mode=row.maintenance,
        paused=row.paused if by_moderator else None,
        info=row.info,
        nsfw=row.offer.get("nsfw", True),
        owner=owner.alias if is_told else None,
        ipaddr=row.address if by_moderator else None,
        trusted=owner.has(Role.TRUSTED),
        flagged=owner.has(Role.FLAGGED),
        suspicious=around.suspicions.get(row.id, 0) if by_moderator else None,
        uncompleted_jobs=row.uncompleted,
        models=row.offer.get("models", []),
        team=TeamDetailsLite(
            name=around.teams.get(row.team_id) if row.team_id else None,
            id=str(row.team_id) if row.team_id else None,
        ),
        contact=owner.contact if by_moderator else None,
        bridge_agent=row.agent,
        messages=_told(row, around) if is_told else None,
        **_ABILITIES.get(row.kind, _of_any)(row),
    )


def _told(row: Worker, around: _Around) -> list[ResponseModelMessage]:
    return [*around.to_each.get(None, []), *around.to_each.get(row.id, [])]


def _of_pictures(row: Worker) -> dict[str, Any]:
    allowed = row.offer.get("permissions", ())
    abilities = {name: kind in allowed for name, kind in _PERMISSIONS.items()}
    return abilities | {
        "max_pixels": _limit(row, "pixels"),
        "megapixelsteps_generated": float(round(row.things / MEGA)),
    }


_PERMISSIONS = {
    "img2img": "img2img",
    "painting": "painting",
    "post_processing": "post-processing",
    "lora": "lora",
    "controlnet": "controlnet",
    "sdxl_controlnet": "sdxl_controlnet",
}


def _of_texts(row: Worker) -> dict[str, Any]:
    return {
        "max_length": _limit(row, "length"),
        "max_context_length": _limit(row, "context"),
        "tokens_generated": float(row.things),
    }


def _of_forms(row: Worker) -> dict[str, Any]:
    return {"forms": sorted(f.removeprefix(alchemy.FORM) for f in row.offer.get("features", ()))}


def _of_any(_row: Worker) -> dict[str, Any]:
    return {}


_ABILITIES = {"image": _of_pictures, "text": _of_texts, "alchemy": _of_forms}


def _limit(row: Worker, size: str) -> int | None:
    """The worker's declared limit, if it has one."""
    limit: int = row.offer.get(size, UNLIMITED)
    return limit if limit < UNLIMITED else None
