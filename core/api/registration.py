"""Registering, the same way for the page and for the API."""

from core.accounts import registering
from core.api import browser, context, limits, perimeter
from core.api.limits import Counted, Limit
from core.db import Writing, now
from core.moderation import addresses
from core.users.tables import User


def counted() -> Counted:
    """What a new account without a login counts as: an address makes 5 in an hour, however."""
    return limits.for_address(Limit(5, 3600), address=context.address(), resource="/v2/register")


def refuse_foreign() -> None:
    """Let only its own page and programs register at a private horde. Raises NotSameOrigin."""
    settings = context.server().settings
    if perimeter.is_private(settings) and not browser.is_same_origin(settings.base_url):
        raise browser.NotSameOrigin("Only this horde's own page and programs may register here.")


async def register(
    session: Writing, *, username: str, oauth_id: str | None = None
) -> tuple[User, str]:
    """Register who calls; the user and the API key.

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
