"""`status/performance` and `admin/maintenance`: the state of the horde, maintenance."""

from core.api import callers, context
from core.api.limits import Limit
from core.api.operation import by_address
from core.api.v1.endpoint import blueprint as new_blueprint
from core.api.v1.endpoint import endpoint
from core.db import now
from core.kinds.params import MEGA
from core.moderation import modes
from core.queue import totals
from core.users import roles
from core.wire import v1

blueprint = new_blueprint("v1_status")


@blueprint.get("/status/performance")
@endpoint(limit=by_address())
async def performance() -> v1.Performance:
    """See the queue and how many servers work on it."""
    horde = context.server().horde
    async with context.server().database.reading() as session:
        await horde.online.refresh(session, at=now())
        queued = (await totals.queued(session, horde.lanes, horde.counts))["image"]
        made = (await totals.past_minute(session, at=now()))["image"]
        states = await horde.modes.refresh(session, at=now())
    return v1.Performance(
        queued_requests=queued.jobs,
        queued_megapixelsteps=round(queued.things / MEGA, 2),
        megapixelsteps_per_min=round(made.things / MEGA, 2),
        server_count=sum(one.offer.kind == "image" for one in horde.online.serving),
        maintenance_mode=states.maintenance,
    )


@blueprint.put("/admin/maintenance")
@endpoint(arguments=v1.MaintenanceArguments, limit=by_address(Limit(30, 60)))
async def maintain(wanted: v1.MaintenanceArguments) -> v1.Maintenance:
    """Let the horde take no requests, or take them again; administrators only."""
    server = context.server()
    async with callers.writing() as session:
        roles.require_admin(await context.user(session))
        await modes.switch(session, maintenance=wanted.active)
    server.horde.modes.forget()
    return v1.Maintenance(maintenance_mode=wanted.active)
