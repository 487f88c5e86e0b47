"""`servers`: the workers of today."""

from core.api import callers, context
from core.api.kept import Encoded, encoded
from core.api.limits import Limit
from core.api.operation import by_address, by_path
from core.api.v1.endpoint import blueprint as new_blueprint
from core.api.v1.endpoint import endpoint
from core.db import now
from core.kinds.params import MEGA
from core.queue.matching import Offer
from core.wire import v1
from core.wire.kudos import to_wire
from core.workers import edits, fleet, offers
from core.workers.tables import Worker

blueprint = new_blueprint("v1_servers")


@blueprint.get("/servers")
@endpoint(limit=by_address())
async def get_servers() -> Encoded:
    """List servers that were seen in the last 300 seconds."""
    return await context.server().lists.get("servers", _servers)


async def _servers() -> Encoded:
    async with context.server().database.reading() as session:
        rows = await fleet.online(session, at=now())
    return encoded([_listed(row) for row in rows if row.kind == "image"])


@blueprint.get("/servers/<server_id>")
@endpoint(limit=by_address())
async def get_server(server_id: str) -> v1.Server:
    """See a server, also one that is away."""
    async with context.server().database.reading() as session:
        row = await fleet.known(session, server_id)
    if row.kind != "image":
        raise fleet.WorkerNotFound(f"Worker with ID '{server_id}' makes no pictures.")
    return v1.Server(
        name=row.name,
        id=str(row.id),
        max_pixels=Offer.from_json(row.offer).pixels,
        megapixelsteps_generated=_megapixelsteps(row),
        requests_fulfilled=row.fulfilled,
        latest_performance=offers.performance(row),
        maintenance_mode=row.maintenance,
    )


@blueprint.put("/servers/<server_id>")
@endpoint(arguments=v1.ServerArguments, limit=by_path(Limit(30, 60)))
async def change_server(wanted: v1.ServerArguments, server_id: str) -> v1.ChangedServer:
    """Put a server into maintenance, or out of it; moderators may pause it too."""
    change = edits.Change(maintenance=wanted.maintenance, paused=wanted.paused)
    async with callers.writing() as session:
        by = await context.user(session)
        changed = await edits.change(session, by, await fleet.known(session, server_id), change)
    return v1.ChangedServer(maintenance=changed.maintenance, paused=changed.paused)


def _listed(row: Worker) -> v1.ListedServer:
    return v1.ListedServer(
        name=row.name,
        id=str(row.id),
        max_pixels=Offer.from_json(row.offer).pixels,
        megapixelsteps_generated=_megapixelsteps(row),
        requests_fulfilled=row.fulfilled,
        kudos_rewards=to_wire(row.kudos_generated + row.kudos_uptime),
        kudos_details=v1.ServerKudos(
            generated=to_wire(row.kudos_generated), uptime=to_wire(row.kudos_uptime)
        ),
        performance=offers.performance(row),
        uptime=row.uptime_seconds,
        maintenance_mode=row.maintenance,
    )


def _megapixelsteps(row: Worker) -> float:
    return float(round(row.things / MEGA, 2))
