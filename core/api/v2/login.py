"""`login/…` (ours): codes that programs log in with, and questions of a page's script."""

from quart import Blueprint

from core.accounts import codes, sessions
from core.api import browser, context
from core.api.limits import Limit
from core.api.operation import by_address, operation
from core.db import now
from core.errors import Unauthenticated
from core.users import directory
from core.wire.login import LoginCodeInput, PageLogin, ProgramLogin

blueprint = Blueprint("login", __name__)


class InvalidLoginCode(Unauthenticated):
    """The code is wrong, used, too old, or had too many wrong guesses."""

    code = "InvalidLoginCode"


@blueprint.post("/login/code")
@operation(
    body=LoginCodeInput,
    answers={200: ProgramLogin},
    limit=by_address(Limit(10, 60)),
    errors=(400, 401),
)
async def log_in(body: LoginCodeInput) -> ProgramLogin:
    """Exchange the code that the page shows for a token, which is used as an API key."""
    server = context.server()
    at = now()
    async with server.database.writing() as session:
        user_id = await codes.redeem(session, server.keyring, body.code, at=at)
        if user_id is not None:
            token, expires = await sessions.begin_program(session, server.keyring, user_id, at=at)
            user = await directory.by_id(session, user_id)
    if user_id is None:  # raised after the commit, which counted the guess
        raise InvalidLoginCode("This code is wrong or too old. The page shows a new one.")
    return ProgramLogin(token=token, expires=expires, id=user.id, username=user.alias)


@blueprint.get("/login/session")
@operation(answers={200: PageLogin}, limit=by_address(), errors=(403,))
async def session() -> PageLogin:
    """See who is logged in in this browser; for scripts of the horde's own pages."""
    server = context.server()
    if not browser.is_same_origin(server.settings.base_url):
        raise browser.NotSameOrigin("Only pages of this horde may ask who is logged in.")
    token = context.cookie().token()
    csrf_token = browser.csrf_token(server.keyring, token) if token else ""
    async with server.database.reading() as reading:
        person = await sessions.person(reading, server.keyring, token, at=now())
    user = person.user if person is not None else None
    if user is None:
        return PageLogin(csrf_token=csrf_token)
    return PageLogin(csrf_token=csrf_token, id=user.id, username=user.alias)
