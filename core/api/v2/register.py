"""`POST register` (ours): a pseudonymous account; the page also offers logins."""

from quart import Blueprint

from core.api import context, registration
from core.api.operation import operation
from core.wire.register import Registered, RegisterInput

blueprint = Blueprint("register", __name__)


@blueprint.post("/register")
@operation(
    body=RegisterInput,
    answers={201: Registered},
    limit=registration.counted,
    errors=(400, 403),
)
async def register(body: RegisterInput) -> Registered:
    """Register without a login. The key is shown once and cannot be recovered."""
    registration.refuse_foreign()
    async with context.server().database.writing() as session:
        user, key = await registration.register(session, username=body.username)
    return Registered(id=user.id, username=user.username, alias=user.alias, api_key=key)
