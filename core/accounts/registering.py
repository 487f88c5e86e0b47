"""Registering, and what users may change: their name and their API key."""

from uuid import uuid4

from core.accounts import sessions
from core.accounts.changes import ProfaneUserName
from core.db import Writing
from core.errors import Forbidden
from core.moderation import modes
from core.moderation.names import is_profane
from core.users import directory, names
from core.users.keys import Keyring
from core.users.tables import User


class RegistrationClosed(Forbidden):
    """Registration is closed, or open only to people who logged in at a service."""

    code = "RegistrationClosed"


async def register(
    session: Writing,
    keyring: Keyring,
    *,
    username: str,
    oauth_id: str | None,
    is_open: bool,
) -> tuple[User, str]:
    """Register a user. Returns the user and the API key, which is never shown again.

    oauth_id: who this is at a login service; None makes a pseudonymous account, which is refused in
        raid mode, since many can be made in a moment.

    Raises RegistrationClosed, BadUsername, ProfaneUserName, and AlreadyRegistered (see
    `directory.create`).
    """
    if not is_open:
        raise RegistrationClosed("Registration is closed on this horde.")
    if oauth_id is None and (await modes.read(session)).raid:
        raise RegistrationClosed(
            "The horde is under attack, so only those who log in at a service may register now."
        )
    _refuse_profane(username)
    return await directory.create(
        session, keyring, username=username, oauth_id=oauth_id or str(uuid4())
    )


async def rename(session: Writing, user: User, username: str) -> User:
    """Give the user another name; returns the user. Raises BadUsername and ProfaneUserName."""
    _refuse_profane(username)
    return await directory.change(session, user, username=names.clean(username))


async def renew_key(session: Writing, keyring: Keyring, user: User) -> str:
    """Give the user a new API key, log the user out everywhere, and return the key.

    Somebody with the former key may have logged in with it. Raises AnonForbidden.
    """
    key = await directory.rotate_key(session, keyring, user)
    await sessions.end_all(session, user.id)
    return key


def _refuse_profane(username: str) -> None:
    if is_profane(username):
        raise ProfaneUserName("This name is obscene. Please choose another one.")
