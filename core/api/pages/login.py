"""Logging in: the round trip to a service, by API key, and logging out."""

from pydantic import BaseModel, Field
from quart import Blueprint, Response, abort, request

from core.accounts import login, sessions
from core.api import context, providers
from core.api.limits import Limit
from core.api.operation import by_address
from core.api.pages import page, visit
from core.api.pages.visit import Visit
from core.api.providers import LoginRefused, Provider
from core.db import now
from core.errors import Forbidden
from core.users import directory, roles

blueprint = Blueprint("login", __name__)

BEGINNING = by_address(Limit(20, 60))
FINISHING = by_address(Limit(20, 60))
BY_KEY = by_address(Limit(10, 60))


class LoginStale(Forbidden):
    """The login did not begin here, or too long ago."""

    code = "LoginStale"


class KeyForm(BaseModel):
    """A login by API key."""

    api_key: str = Field(min_length=1, max_length=100)


@blueprint.get("/<any(google, discord, github):name>/<any(register, transfer):back>")
async def begin(name: str, back: str) -> Response:
    """Send the browser to a service; it will come back to the page."""
    provider = _provider(name)
    await visit.limited(BEGINNING())
    visitor = await visit.current()
    server = context.server()
    async with server.database.writing() as session:
        challenge = await login.begin(
            session,
            server.keyring,
            visitor=visitor.token,
            provider=name,
            page=back,
            at=now(),
        )
    return await page.go(provider.where_to(challenge, _redirect_uri(name)))


@blueprint.get("/finish_dance/<any(google, discord, github):name>")
async def finish(name: str) -> Response:
    """Log in a browser that comes back from a service."""
    provider = _provider(name)
    await visit.limited(FINISHING())
    visitor = await visit.current()
    server = context.server()
    async with server.database.writing() as session:
        returned = await login.finish(
            session,
            server.keyring,
            visitor=visitor.token,
            provider=name,
            state=request.args.get("state", ""),
            at=now(),
        )
    if returned is None:
        raise LoginStale("This login began in another browser, or too long ago. Please try again.")
    code = request.args.get("code")
    if not code:
        raise LoginRefused(f"{provider.title} did not log you in.")
    oauth_id = await provider.oauth_id(
        code=code, verifier=returned.verifier, redirect_uri=_redirect_uri(name)
    )
    await _log_in(visitor, oauth_id=oauth_id)
    return await page.go(f"/{returned.page}")


@blueprint.post("/login")
async def by_key() -> Response:
    """Log a browser in by an API key."""
    await visit.limited(BY_KEY())
    sent = await visit.form(KeyForm)
    visitor = await visit.current()
    server = context.server()
    async with server.database.reading() as session:
        user = await directory.by_key(session, server.keyring, sent.api_key.strip())
    roles.refuse_anonymous(user, "log in")
    await _log_in(visitor, user_id=user.id)
    return await page.go("/register")


@blueprint.post("/logout")
async def log_out() -> Response:
    """End the browser's session."""
    await visit.form(visit.EmptyForm)
    visitor = await visit.current()
    server = context.server()
    if visitor.person != visit.NOBODY:
        async with server.database.writing() as session:
            await sessions.end(session, server.keyring, visitor.token)
    visitor.left()
    return await page.go("/register")


@blueprint.post("/logout/all")
async def log_out_everywhere() -> Response:
    """End all sessions of a user, including those of programs."""
    await visit.form(visit.EmptyForm)
    visitor = await visit.current()
    if visitor.user is not None:
        async with context.server().database.writing() as session:
            await sessions.end_all(session, visitor.user.id)
        visitor.left()
    return await page.go("/register")


async def _log_in(
    visitor: Visit, *, user_id: int | None = None, oauth_id: str | None = None
) -> None:
    """Begin a session for a user, or for a login id that is not registered yet."""
    server = context.server()
    async with server.database.writing() as session:
        if oauth_id is not None:
            user = await directory.by_oauth_id(session, oauth_id)
            user_id = user.id if user is not None else None
        await sessions.end(session, server.keyring, visitor.token)
        token = await sessions.begin(
            session,
            server.keyring,
            user_id=user_id,
            oauth_id=oauth_id if user_id is None else None,
            at=now(),
            life=visit.life(),
        )
    visitor.became(token)


def _provider(name: str) -> Provider:
    return providers.offered(context.server().settings).get(name) or abort(404)


def _redirect_uri(name: str) -> str:
    """The URL to which services send browsers back; registered there, not made from the Host."""
    return f"{context.server().settings.base_url}/finish_dance/{name}"
