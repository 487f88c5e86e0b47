"""Passkeys: how a service that calls on behalf of others proves that it may.

A service sends its own API key, its passkey and the address of the person it calls for. The address
is believed only if the passkey belongs to the owner of the API key, who must be a service: nobody
can claim another address with somebody else's passkey or API key.
"""

import hmac
import secrets
import time
from typing import Final

from sqlalchemy import select, update

from core.db import Reading, Writing, table
from core.users.keys import Keyring
from core.users.tables import Role, User, UserRow

READ_AGAIN_SECONDS: Final = 5.0

_users = table(UserRow)


async def renew(session: Writing, keyring: Keyring, user: User) -> str:
    """Give the user a passkey of 16 characters and return it; a former one stops working."""
    passkey = secrets.token_urlsafe(12)
    stored = keyring.hash(_named(passkey))
    await session.execute(update(_users).where(_users.c.id == user.id).values(passkey_hash=stored))
    return passkey


class Passkeys:
    """The services that have a passkey, at most 5 s old: needed before limits are counted."""

    def __init__(self) -> None:
        self._read_at = float("-inf")
        self._owners: dict[str, str] = {}

    async def refresh(self, session: Reading) -> None:
        """Read them again if the last look is out of date."""
        if time.monotonic() - self._read_at < READ_AGAIN_SECONDS:
            return
        found = await session.execute(
            select(_users.c.passkey_hash, _users.c.key_hash).where(
                _users.c.passkey_hash.is_not(None),
                _users.c.key_hash.is_not(None),
                _users.c.roles.bitwise_and(int(Role.SERVICE | Role.DELETED)) == int(Role.SERVICE),
            )
        )
        self._owners = {row.passkey_hash: row.key_hash for row in found}
        self._read_at = time.monotonic()

    def believes(self, keyring: Keyring, *, passkey: str, api_key: str) -> bool:
        """Whether the passkey belongs to the service whose API key this is.

        Keyed hashes are compared, in constant time, so that the time it takes reveals nothing.
        """
        owners = [
            stored
            for candidate in keyring.candidates(_named(passkey))
            if (stored := self._owners.get(candidate)) is not None
        ]
        return any(
            hmac.compare_digest(stored, candidate)
            for stored in owners
            for candidate in keyring.candidates(api_key)
        )


def _named(passkey: str) -> str:
    """The text that is hashed of a passkey: never the same as that of an API key."""
    return f"passkey:{passkey}"
