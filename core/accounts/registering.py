"""Registering, and what the registered may change: their name and their API key."""

from uuid import uuid4

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import table
from core.errors import Forbidden
from core.users import directory, names
from core.users.keys import Keyring
from core.users.tables import User

_users = table(User)


class RegistrationClosed(Forbidden):
    """Nobody may register here at present, or nobody who did not log in at a service."""

    code = "RegistrationClosed"


async def register(
    session: AsyncSession,
    keyring: Keyring,
    *,
    username: str,
    oauth_id: str | None,
    is_open: bool,
    raid: bool,
) -> tuple[User, str]:
    """Register somebody; the user and the API key, which cannot be had again.

    oauth_id: who this is at a login service; None makes a pseudonymous account, which is refused
        in raid mode: many can be made in a moment.

    Raises RegistrationClosed, BadUsername, and AlreadyRegistered (see `directory.create`).
    """
    if not is_open:
        raise RegistrationClosed("Registration is closed on this horde.")
    if oauth_id is None and raid:
        raise RegistrationClosed(
            "The horde is under attack, so only those who log in at a service may register now."
        )
    return await directory.create(
        session, keyring, username=username, oauth_id=oauth_id or str(uuid4())
    )


async def rename(session: AsyncSession, user: User, username: str) -> None:
    """Give the user another name. Raises BadUsername."""
    name = names.clean(username)
    await session.execute(update(_users).where(_users.c.id == user.id).values(username=name))
