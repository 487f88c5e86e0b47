"""Registering, in the same way by page and API."""

from core.accounts import registering
from core.api import browser, context, limits, perimeter
from core.api.limits import Counted, Limit
from core.db import Writing, now
from core.moderation import addresses
from core.users.tables import User


def counted() -> Counted:
    """How a new account without a login is counted: 5 an hour for an address, by page and API."""
    return limits.for_address(Limit(5, 3600), address=context.address(), resource="/v2/register")


def refuse_foreign() -> None:
    """Let only its own page and programs register at a private horde. Raises NotSameOrigin."""
    settings = context.server().settings
    if perimeter.is_private(settings) and not browser.is_same_origin(settings.base_url):
        raise browser.NotSameOrigin("Only this horde's own page and programs may register here.")


async def register(
    session: Writing, *, username: str, oauth_id: str | None = None
) -> tuple[User, str]:
    """Register the caller. Returns the user and the API key.

    oauth_id: who this is at a login service; None for a pseudonymous account.

    Raises TimeoutIP, and what `registering.register` does.
    """
    server = context.server()
    await addresses.refuse(session, context.address(), at=now())
    return await registering.register(
        session,
        server.keyring,
        username=username,
        oauth_id=oauth_id,
        is_open=server.settings.registration == "open",
    )
