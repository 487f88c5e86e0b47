"""The horde, called for Discord's users: with the login of each, or else with the bot's own key."""

from typing import Final, TypeAlias
from uuid import UUID

import structlog

from bot.keyring import Keyring, WrongSecret
from bot.refusals import LOG_IN_AGAIN, Refused
from bot.settings import Settings
from bot.store import logins
from bot.store.database import Database
from bot.store.logins import Login
from core.client import HordeClient, NotFound, Retries, Unauthenticated
from core.client import horde as client
from core.client.running import Async
from core.wire.users import UserDetails

TIMEOUT_SECONDS: Final = 30.0
AGENT: Final = "stable-horde-bot:1:https://github.com/stable-horde/stable-horde"
LOG_IN: Final = "You are not logged in: `/account login` takes a code from the horde's page."

Horde: TypeAlias = client.Horde[Async]

log = structlog.get_logger(__name__)


class Hordes:
    """One connection to the horde, for everybody's keys."""

    def __init__(self, settings: Settings, database: Database, keyring: Keyring) -> None:
        self._database, self._keyring = database, keyring
        self.own: Final = HordeClient(
            settings.horde_url,
            settings.api_key.get_secret_value(),
            client_agent=AGENT,
            timeout_seconds=TIMEOUT_SECONDS,
            retries=Retries(attempts=3),
        )

    async def of(self, user_id: int) -> Horde:
        """The horde as this user, or as the bot where they are not logged in."""
        login = await self.login(user_id)
        return self.own if login is None else self.as_login(login)

    async def logged_in(self, user_id: int) -> Horde:
        """The horde as this user. Raises Refused if they are not logged in."""
        login = await self.login(user_id)
        if login is None:
            raise Refused(LOG_IN)
        return self.as_login(login)

    async def login(self, user_id: int) -> Login | None:
        """A user's login, if there is one that can be used."""
        async with self._database.transaction() as connection:
            login = await logins.get(connection, user_id)
        if login is None:
            return None
        try:
            self._keyring.open(login.sealed)
        except WrongSecret:
            log.warning("login.unreadable", user=user_id)
            return None
        return login

    def as_login(self, login: Login) -> Horde:
        """The horde with a login's key."""
        return self.with_key(self._keyring.open(login.sealed))

    def with_key(self, key: str) -> Horde:
        """The horde with this key. Raises Refused for what can be none."""
        try:
            return self.own.with_key(key)
        except ValueError:
            raise Refused("That is no key: it has characters that no key has.") from None

    async def close(self) -> None:
        """Close all connections."""
        await self.own.aclose()


def is_id(text: str) -> bool:
    """Whether it is an id of the horde's rather than a name."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True


async def me(horde: Horde) -> UserDetails:
    """Get the user of a login. Raises Refused if its key is nobody's any more."""
    try:
        return await horde.users.me()
    except (NotFound, Unauthenticated):
        raise Refused(LOG_IN_AGAIN) from None
