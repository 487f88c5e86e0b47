"""The context of a request handler: the server's parts and who is asking."""

import ipaddress
import time
from dataclasses import dataclass, field

from quart import current_app, g, request

from core.accounts import sessions
from core.api import browser
from core.api.caches import AdaptiveCache, TtlCache
from core.api.kept import Encoded, KeptAnswers
from core.api.limits import Limiter
from core.db import Database, Reading, Writing, now
from core.errors import Unauthenticated
from core.generation.horde import Horde
from core.images.decoders import Decoders
from core.images.signing import Signer
from core.images.store import Store
from core.moderation import names
from core.outside.client import GuardedClient
from core.settings import Settings
from core.users import directory
from core.users.keys import Keyring
from core.users.passkeys import Passkeys
from core.users.tables import Role, User

UNKNOWN_AGENT = "unknown:0:unknown"
MAX_AGENT_CHARS = 255
EXTENSION = "horde"
RELAXED_SECONDS = 86_400.0
KNOWN_SECONDS = 60.0
RELAXING = Role.TRUSTED | Role.MODERATOR | Role.EDUCATION | Role.SERVICE
"""Users whose addresses get relaxed limits for a day."""


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
    shared: Store
    """The store of the shared data set, which is never swept."""
    shared_signer: Signer
    decoders: Decoders = field(default_factory=Decoders)
    passkeys: Passkeys = field(default_factory=Passkeys)
    relaxed: TtlCache[bool] = field(default_factory=lambda: TtlCache(RELAXED_SECONDS))
    """Addresses with relaxed limits, as this process saw them."""
    known: TtlCache[int] = field(default_factory=lambda: TtlCache(KNOWN_SECONDS))
    """Users' ids by the digest of a valid key or session; see `core.api.callers`."""
    lists: AdaptiveCache[Encoded] = field(default_factory=AdaptiveCache)
    """Long public lists as JSON, kept the longer, the costlier they are."""
    answers: KeptAnswers = field(default_factory=lambda: KeptAnswers(time.monotonic))
    """Short public answers, the same for everybody, kept for a moment."""


def server() -> Server:
    """The server that handles this request."""
    found: Server = current_app.extensions[EXTENSION]
    return found


def api_key() -> str:
    """The caller's credential: the API key that was sent, or else the session of a browser.

    A session counts if a page of ours asks, with the cookie's CSRF token, so no foreign page can
    act for a visitor. Empty if there is none.
    """
    return request.headers.get("apikey", "") or _session_token()


def cookie() -> browser.Cookie:
    """The session cookie of this server."""
    return browser.Cookie(server().settings.base_url)


def _session_token() -> str:
    token = cookie().token()
    is_ours = token and browser.is_ours(
        server().keyring,
        token=token,
        csrf=request.headers.get(browser.CSRF_HEADER, ""),
        base_url=server().settings.base_url,
    )
    return token if is_ours else ""


def client_agent() -> str:
    """The client's name for itself: `name:version:contact`."""
    return names.clean(request.headers.get("Client-Agent", UNKNOWN_AGENT)[:MAX_AGENT_CHARS])


def agents() -> tuple[str, str]:
    """The client's names: for us, and for any server."""
    return client_agent(), request.headers.get("User-Agent", "")


def address() -> str:
    """The client's address; forwarding headers are believed from trusted proxies only.

    If a trusted service calls for somebody, it is that person's address.
    """
    if (proxied := _proxied()) is not None:
        return proxied
    peer = request.remote_addr or "127.0.0.1"
    forwarded = ",".join(request.headers.getlist("X-Forwarded-For"))
    if forwarded and _is_in(peer, server().settings.trusted_proxies):
        peer = forwarded.rpartition(",")[2].strip()
    # Otherwise a unix socket, or a proxy that forwards something else.
    return _as_address(peer) or "127.0.0.1"


async def believe_service() -> None:
    """Find out whether a service calls for somebody, before anything depends on addresses."""
    passkey = request.headers.get("Proxy-Authorization", "")
    proxied = _as_address(request.headers.get("Proxied-For", ""))
    if not passkey or proxied is None or not api_key():
        return
    known = server().passkeys
    async with server().database.reading() as session:
        await known.refresh(session)
    if known.believes(server().keyring, passkey=passkey, api_key=api_key()):
        g.proxied_address = proxied


def is_relaxed() -> bool:
    """Whether many people may share the address: a trusted user or a service called from it."""
    return server().relaxed.get(address()) is not None


def _proxied() -> str | None:
    found: str | None = g.get("proxied_address")
    return found


def _as_address(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text.partition("%")[0].strip()))
    except ValueError:
        return None


def _is_in(peer: str, networks: list[str]) -> bool:
    try:
        there = ipaddress.ip_address(peer)
    except ValueError:
        return False
    return any(there in ipaddress.ip_network(network, strict=False) for network in networks)


async def user(session: Reading) -> User:
    """The user of the key, token or session that was sent. Raises UnknownKey.

    A key hashed with an old secret is hashed anew where the session writes.
    """
    sent = api_key()
    if not sent:
        raise Unauthenticated("No API key was sent. Please send yours in the apikey header.")
    is_key = sent == request.headers.get("apikey")
    if is_key and not sent.startswith(sessions.PROGRAM_PREFIX):
        found = await _of_key(session, sent)
    else:
        found = await _of_session(session, sent)
    if found.roles & RELAXING and _proxied() is None:
        server().relaxed.put(address(), True)  # noqa: FBT003 - the value itself
    return found


async def _of_key(session: Reading, key: str) -> User:
    keyring = server().keyring
    found = await directory.by_key(session, keyring, key)
    if isinstance(session, Writing) and not keyring.is_current(found.key_hash):
        await directory.rehash(session, keyring, found, key)
    return found


async def _of_session(session: Reading, token: str) -> User:
    person = await sessions.person(session, server().keyring, token, at=now())
    if person is None or person.user is None:
        raise directory.UnknownKey("This login is over. Please log in again at /register.")
    return person.user


async def is_moderator(session: Reading) -> bool:
    """Whether a moderator asks; without a key nobody does. Raises UnknownKey for a wrong key."""
    return bool(api_key()) and (await user(session)).has(Role.MODERATOR)
