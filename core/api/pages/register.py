"""`/register`: getting an account, and changing its name and key."""

from typing import Literal

from pydantic import BaseModel, Field
from quart import Blueprint, Response

from core.accounts import codes, registering, sessions
from core.accounts.changes import ProfaneUserName
from core.api import context, providers, registration
from core.api.errors import status_of
from core.api.limits import Limit
from core.api.operation import by_address
from core.api.pages import page, visit
from core.api.pages.visit import Visit
from core.db import Writing, now
from core.errors import Refusal, Unauthenticated
from core.ledger import accounts
from core.moderation import modes
from core.users import directory
from core.users.names import BadUsername
from core.users.tables import User
from core.wire.kudos import to_wire

blueprint = Blueprint("register", __name__)

CODES = by_address(Limit(10, 60))


class NotLoggedIn(Unauthenticated):
    """This page is for logged-in users."""

    code = "NotLoggedIn"


class RegisterForm(BaseModel):
    """The wanted name and, for registered users, whether to get a new key."""

    username: str = Field(default="", max_length=100)
    key: Literal["new", "keep"] = "new"


@blueprint.get("/register")
async def form() -> Response:
    """Show how to register, or the account of the logged-in user."""
    return await _form()


async def _form(*, typed: str = "", refusal: Refusal | None = None) -> Response:
    """The page, with the name that was typed and why it was refused, if it was."""
    user = (await visit.current()).user
    status = status_of(type(refusal)) if refusal is not None else 200
    error = refusal.message if refusal is not None else ""
    if user is not None:
        return await _account(user, status, typed=typed, error=error)
    server = context.server()
    async with server.database.reading() as session:
        raid = (await modes.read(session)).raid
    return await page.show(
        "register.html",
        status,
        typed=typed,
        error=error,
        providers=providers.offered(server.settings).values(),
        is_open=server.settings.registration == "open",
        raid=raid,
    )


async def _account(user: User, status: int, *, typed: str, error: str) -> Response:
    async with context.server().database.reading() as session:
        funds = await accounts.funds(session, user.account_id)
        programs = await sessions.programs(session, user.id, at=now())
    return await page.show(
        "account.html",
        status,
        typed=typed,
        error=error,
        kudos=to_wire(funds.balance),
        spare=to_wire(funds.available),
        programs=programs,
        is_pseudonymous=directory.is_pseudonymous(user.oauth_id),
    )


@blueprint.post("/register")
async def submit() -> Response:
    """Register, or change name and key of the logged-in user."""
    sent = await visit.form(RegisterForm)
    visitor = await visit.current()
    try:
        if visitor.user is None:
            return await _register(visitor, sent.username)
        return await _change(visitor, visitor.user, sent)
    except (BadUsername, ProfaneUserName) as refusal:
        return await _form(typed=sent.username, refusal=refusal)


async def _register(visitor: Visit, username: str) -> Response:
    oauth_id = visitor.person.oauth_id
    if oauth_id is None:
        await visit.limited(registration.counted())
    async with context.server().database.writing() as session:
        user, key = await registration.register(session, username=username, oauth_id=oauth_id)
        await _begin_anew(session, visitor, user)
    return await _show_key(key, user)


async def _change(visitor: Visit, user: User, sent: RegisterForm) -> Response:
    server = context.server()
    async with server.database.writing() as session:
        if sent.username:
            user = await registering.rename(session, user, sent.username)
        if sent.key == "new":
            key = await registering.renew_key(session, server.keyring, user)
            await _begin_anew(session, visitor, user)
            user = await directory.by_id(session, user.id)
    if sent.key == "keep":
        return await page.go("/register")
    return await _show_key(key, user)


async def _show_key(key: str, user: User) -> Response:
    """The page with a key, which says how to get another one if that is possible."""
    is_pseudonymous = directory.is_pseudonymous(user.oauth_id)
    return await page.show("key.html", key=key, alias=user.alias, is_pseudonymous=is_pseudonymous)


async def _begin_anew(session: Writing, visitor: Visit, user: User) -> None:
    """Give the browser another session, so that reloading a page with a key has no effect.

    The form that would be sent again has the former session's CSRF token.
    """
    server = context.server()
    await sessions.end(session, server.keyring, visitor.token)
    visitor.became(
        await sessions.begin(session, server.keyring, user_id=user.id, at=now(), life=visit.life())
    )


@blueprint.post("/login/code")
async def code() -> Response:
    """Show a code for a program to log in with."""
    await visit.limited(CODES())
    await visit.form(visit.EmptyForm)
    visitor = await visit.current()
    if visitor.user is None:
        raise NotLoggedIn("Please log in first.")
    server = context.server()
    async with server.database.writing() as session:
        shown = await codes.issue(session, server.keyring, visitor.user.id, at=now())
    return await page.show("code.html", code=shown, minutes=round(codes.LIFE.total_seconds() / 60))
