"""`POST register` (ours): a pseudonymous account; the page will have logins besides."""

from uuid import uuid4

from quart import Blueprint

from core.api import context
from core.api.limits import Limit
from core.api.operation import by_address, operation
from core.errors import Forbidden
from core.users import directory
from core.wire.register import Registered, RegisterInput

blueprint = Blueprint("register", __name__)


class RegistrationClosed(Forbidden):
    """Nobody may register here at present."""

    code = "RegistrationClosed"


@blueprint.post("/register")
@operation(
    body=RegisterInput,
    answers={201: Registered},
    limit=by_address(Limit(5, 3600)),
    errors=(400, 403),
)
async def register(body: RegisterInput) -> Registered:
    """Register without a login. The key is shown once and cannot be recovered."""
    server = context.server()
    if server.settings.registration == "closed":
        raise RegistrationClosed("Registration is closed on this horde.")
    async with server.database.writing() as session:
        user, key = await directory.create(
            session, server.keyring, username=body.username, oauth_id=str(uuid4())
        )
    return Registered(id=user.id, username=user.username, alias=user.alias, api_key=key)
