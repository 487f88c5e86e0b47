"""The horde, called for Discord's users: with the login of each, or else with the bot's own key."""

from collections import OrderedDict
from typing import Final

import structlog

from bot.keyring import Keyring, WrongSecret
from bot.settings import Settings
from bot.store import logins
from bot.store.database import Database
from core.client import HordeClient, Retries

MAX_CLIENTS: Final = 50
TIMEOUT_SECONDS: Final = 30.0
AGENT: Final = "stable-horde-bot:1:https://github.com/stable-horde/stable-horde"

log = structlog.get_logger(__name__)


class Hordes:
    """Clients by key; those not used for longest are closed."""

    def __init__(self, settings: Settings, database: Database, keyring: Keyring) -> None:
        self._settings, self._database, self._keyring = settings, database, keyring
        self._clients: OrderedDict[str, HordeClient] = OrderedDict()
        self.own: Final = self._make(settings.api_key.get_secret_value())

    async def of(self, user_id: int) -> HordeClient:
        """The horde as this user, or as the bot where they are not logged in."""
        return await self.login_of(user_id) or self.own

    async def login_of(self, user_id: int) -> HordeClient | None:
        """The horde as this user; None if they are not logged in."""
        async with self._database.transaction() as connection:
            login = await logins.get(connection, user_id)
        if login is None:
            return None
        try:
            return await self.with_key(self._keyring.open(login.sealed))
        except WrongSecret:
            log.warning("login.unreadable", user=user_id)
            return None

    async def with_key(self, key: str) -> HordeClient:
        """The horde with this key."""
        client = self._clients.pop(key, None) or self._make(key)
        self._clients[key] = client
        while len(self._clients) > MAX_CLIENTS:
            _, oldest = self._clients.popitem(last=False)
            await oldest.aclose()
        return client

    async def close(self) -> None:
        """Close all connections."""
        for client in (self.own, *self._clients.values()):
            await client.aclose()

    def _make(self, key: str) -> HordeClient:
        return HordeClient(
            self._settings.horde_url,
            key,
            client_agent=AGENT,
            timeout_seconds=TIMEOUT_SECONDS,
            retries=Retries(attempts=3),
        )
