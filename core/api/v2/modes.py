"""`status/modes`: the modes of the horde. Never cached: moderators see more."""

from quart import Blueprint

from core.api import callers, context
from core.api.limits import Limit
from core.api.operation import by_address, operation
from core.errors import Invalid
from core.moderation import modes
from core.moderation.modes import Modes
from core.users import roles
from core.wire.modes import HordeModes, HordeModesInput

blueprint = Blueprint("modes", __name__)

NAMES = {
    "maintenance_mode": "maintenance",
    "invite_only_mode": "invite_only",
    "raid_mode": "raid",
    "anonymous_mode": "anonymous",
}
"""The names of the modes for clients and in the horde."""


class NoHordeModSelected(Invalid):
    """The request changes nothing."""

    code = "NoHordeModSelected"


@blueprint.get("/status/modes")
@operation(
    answers={200: HordeModes},
    limit=by_address(Limit(30, 60)),
    omit_nulls=True,
    errors=(401, 403),
)
async def see_modes() -> HordeModes:
    """See the modes of the horde; with a key, which has to be a moderator's, also raid mode."""
    server = context.server()
    async with server.database.reading() as session:
        if context.api_key():
            roles.require_moderator(await context.user(session))
        states = _told(server.horde.modes.in_effect(await modes.read(session)))
    if not context.api_key():
        del states["raid_mode"]
    return HordeModes(**states)


@blueprint.put("/status/modes")
@operation(
    body=HordeModesInput,
    answers={200: HordeModes},
    limit=by_address(Limit(30, 60)),
    omit_nulls=True,
    key_required=True,
    errors=(400, 401, 403),
)
async def switch_modes(body: HordeModesInput) -> HordeModes:
    """Switch modes of the horde: administrators maintenance, moderators the others."""
    server = context.server()
    wanted = body.model_dump(exclude_none=True)
    async with callers.writing() as session:
        asking = await context.user(session)
        if not wanted:
            roles.require_moderator(asking)
            raise NoHordeModSelected("Please name at least one mode to be switched.")
        if "maintenance_mode" in wanted:
            roles.require_admin(asking)
        if wanted.keys() - {"maintenance_mode"}:
            roles.require_moderator(asking)
        await modes.switch(session, **{NAMES[name]: state for name, state in wanted.items()})
        states = _told(server.horde.modes.in_effect(await modes.read(session)))
    server.horde.modes.forget()
    return HordeModes(**{name: states[name] for name in wanted})


def _told(states: Modes) -> dict[str, bool]:
    return {name: getattr(states, ours) for name, ours in NAMES.items()}
