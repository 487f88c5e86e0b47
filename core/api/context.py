"""What a request handler can reach: the server's parts and who is asking."""

import ipaddress
from dataclasses import dataclass
from uuid import uuid4

from quart import current_app, request
from sqlalchemy.ext.asyncio import AsyncSession

from core.api.limits import Limiter
from core.db import Database
from core.errors import Unauthenticated
from core.generation.horde import Horde
from core.images.signing import Signer
from core.outside.client import GuardedClient
from core.settings import Settings
from core.users import directory
from core.users.keys import Keyring
from core.users.tables import Role, User

UNKNOWN_AGENT = "unknown:0:unknown"
LONGEST_AGENT = 255
EXTENSION = "horde"


@dataclass(frozen=True, slots=True)
class Server:
    """The parts of a running server."""

    settings: Settings
    database: Database
    keyring: Keyring
    limiter: Limiter
    signer: Signer
    horde: Horde
    outside: GuardedClient
    node: str = uuid4().hex[:8]


def server() -> Server:
    """The server that this request came to."""
    found: Server = current_app.extensions[EXTENSION]
    return found


def api_key() -> str:
    """The API key that was sent, or an empty string."""
    return request.headers.get("apikey", "")


def client_agent() -> str:
    """What the client says it is: `name:version:contact`."""
    return request.headers.get("Client-Agent", UNKNOWN_AGENT)[:LONGEST_AGENT].replace("\0", "")


def address() -> str:
    """The client's address; forwarding headers are believed from trusted proxies only."""
    peer = request.remote_addr or "127.0.0.1"
    forwarded = ",".join(request.headers.getlist("X-Forwarded-For"))
    if forwarded and _is_in(peer, server().settings.trusted_proxies):
        peer = forwarded.rpartition(",")[2].strip()
    try:
        return str(ipaddress.ip_address(peer.partition("%")[0]))
    except ValueError:
        return "127.0.0.1"  # a unix socket, or a proxy that forwards something else


def _is_in(peer: str, networks: list[str]) -> bool:
    try:
        there = ipaddress.ip_address(peer)
    except ValueError:
        return False
    return any(there in ipaddress.ip_network(network, strict=False) for network in networks)


async def user(session: AsyncSession, *, renew: bool = False) -> User:
    """Who is behind the sent key. Raises UnknownKey.

    renew: the session writes, so a key that was hashed with an old secret can be hashed anew.
    """
    if not api_key():
        raise Unauthenticated("No API key was sent. Please send yours in the apikey header.")
    keyring = server().keyring
    found = await directory.by_key(session, keyring, api_key())
    if renew and not keyring.is_current(found.key_hash):
        await directory.rehash(session, keyring, found, api_key())
    return found


async def is_moderator(session: AsyncSession) -> bool:
    """Whether a moderator asks; no key is nobody. Raises UnknownKey for a wrong key."""
    return bool(api_key()) and (await user(session)).has(Role.MODERATOR)
