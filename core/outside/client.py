"""The guarded HTTP client: the only code of the server that calls addresses named by others.

Each hop of a call is resolved, checked and connected to by address; the name still goes into the
Host header and the certificate check. No proxy of the environment, no cookie, no compression and no
connection kept for the next call, which may be to another name at the same address.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final
from weakref import WeakValueDictionary

import httpx

from core.outside import (
    Declined,
    NoAnswer,
    NotAllowed,
    OutsideFailure,
    Reply,
    TookTooLong,
    TooLarge,
)
from core.outside.addresses import Allowed, check_plain, resolve
from core.outside.names import Names

MAX_REDIRECTS: Final = 3
MAX_AT_ONCE: Final = 64
MAX_LENGTH_CHARS: Final = 20
MAX_FOR_CALLER: Final = 8
"""Calls of one caller at once: slow servers hold up only the caller who named them."""
MAX_URL_CHARS: Final = 4096
LAST_PORT: Final = 65535
WEB: Final = frozenset({"http", "https"})
SECURE: Final = frozenset({"https"})
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_PORTS: Final = {"http": 80, "https": 443}


class GuardedClient:
    """Calls other servers within limits. Implements `core.outside.Outside`.

    allowed: addresses, networks and names that may be called although they are not public.
    agent: the value of User-Agent.
    """

    def __init__(self, *, allowed: Allowed, agent: str) -> None:
        self._allowed = allowed
        self._names = Names()
        self._turns = WeakValueDictionary[str, asyncio.Semaphore]()
        self._http = httpx.AsyncClient(
            verify=httpx.create_ssl_context(),  # the usual authorities, or SSL_CERT_FILE
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=MAX_AT_ONCE, max_keepalive_connections=0),
            headers={"User-Agent": agent, "Accept": "*/*", "Accept-Encoding": "identity"},
            # Calls go to addresses, so one name's cookie would go to another at the same address.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            timeout=None,  # noqa: S113 - each call has a deadline of its own
        )

    async def close(self) -> None:
        """End all calls."""
        await self._http.aclose()
        self._names.close()

    def check(self, url: str) -> None:
        """Raise NotAllowed for an https URL that may plainly never be called."""
        target = _target(url, SECURE)
        check_plain(target.raw_host.decode("ascii"), self._allowed)

    async def get(self, url: str, *, max_bytes: int, seconds: float, caller: str = "") -> bytes:
        """Fetch an http or https URL; see `Outside.get`."""
        async with _deadline(seconds), self._turn(caller):
            for _ in range(MAX_REDIRECTS + 1):
                reply, onward = await self._exchange(
                    "GET", url, WEB, max_bytes=max_bytes, caller=caller
                )
                if onward is None:
                    if not httpx.codes.is_success(reply.status):
                        raise Declined(reply.status)
                    return reply.content
                url = onward
        raise NotAllowed(f"it redirects more than {MAX_REDIRECTS} times")

    async def post(
        self,
        url: str,
        content: bytes,
        *,
        headers: Mapping[str, str],
        max_bytes: int,
        seconds: float,
        caller: str = "",
    ) -> Reply:
        """Send JSON to an https URL; see `Outside.post`."""
        sent = {"Content-Type": "application/json", **headers}
        async with _deadline(seconds), self._turn(caller):
            reply, _ = await self._exchange(
                "POST",
                url,
                SECURE,
                content=content,
                headers=sent,
                max_bytes=max_bytes,
                cut=True,
                caller=caller,
            )
        return reply

    def _turn(self, caller: str) -> AbstractAsyncContextManager[None]:
        """Wait until the caller has room for one more call."""
        if not caller:
            return nullcontext()
        return self._turns.setdefault(caller, asyncio.Semaphore(MAX_FOR_CALLER))

    async def _exchange(
        self,
        method: str,
        url: str,
        schemes: frozenset[str],
        *,
        max_bytes: int,
        cut: bool = False,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        caller: str,
    ) -> tuple[Reply, str | None]:
        """Make one request. Returns its answer, and the target if it is a redirect.

        cut: whether bytes beyond `max_bytes` are dropped rather than an error.
        """
        target = _target(url, schemes)
        port = _port(target)
        host = target.raw_host.decode("ascii")
        name = host if ":" not in host else f"[{host}]"
        sent = {**(headers or {}), "Host": name if target.port is None else f"{name}:{port}"}
        failure: OutsideFailure = NoAnswer("its host has no address")
        for address in await resolve(host, port, self._allowed, names=self._names, caller=caller):
            request = self._http.build_request(
                method,
                target.copy_with(host=address),
                content=content,
                headers=sent,
                extensions={"sni_hostname": host},
            )
            try:
                return await self._answer(request, target, max_bytes, cut=cut)
            except (httpx.ConnectError, OSError) as error:
                failure = NoAnswer("it cannot be connected to")
                failure.__cause__ = error
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise NoAnswer("its answer is broken") from error
        raise failure

    async def _answer(
        self, request: httpx.Request, target: httpx.URL, max_bytes: int, *, cut: bool
    ) -> tuple[Reply, str | None]:
        answer = await self._http.send(request, stream=True)
        try:
            onward = answer.headers.get("Location")
            if answer.status_code in _REDIRECTS and onward is not None:
                return Reply(answer.status_code, b""), str(target.join(onward))
            return Reply(answer.status_code, await _content(answer, max_bytes, cut=cut)), None
        finally:
            await answer.aclose()


async def _content(answer: httpx.Response, max_bytes: int, *, cut: bool) -> bytes:
    """The body as it was sent: a compressed one could expand a thousandfold."""
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity" and not cut:
        raise NoAnswer("its answer is compressed, which was not asked for")
    announced = answer.headers.get("Content-Length", "")
    if not cut and announced.isdecimal() and _exceeds(announced, max_bytes):
        raise TooLarge(f"it has more than {max_bytes} bytes")
    content = bytearray()
    async for part in answer.aiter_raw():
        content += part
        if len(content) > max_bytes:
            if cut:
                return bytes(content[:max_bytes])
            raise TooLarge(f"it has more than {max_bytes} bytes")
    return bytes(content)


def _exceeds(digits: str, most: int) -> bool:
    """Whether a number is larger; it may have any number of digits."""
    return len(digits) > MAX_LENGTH_CHARS or int(digits) > most


def _target(url: str, schemes: frozenset[str]) -> httpx.URL:
    """Read the URL, if it may be called at all; hosts are checked later."""
    if len(url) > MAX_URL_CHARS:
        raise NotAllowed("its URL is too long")
    try:
        target = httpx.URL(url)
        host = target.host  # which is decoded only now
    except (httpx.InvalidURL, ValueError, UnicodeError):
        raise NotAllowed("its URL is malformed") from None
    if target.scheme not in schemes:
        raise NotAllowed(f"its URL does not begin with {' or '.join(sorted(schemes))}")
    if not host or target.userinfo or not 0 < _port(target) <= LAST_PORT:
        raise NotAllowed("its URL needs a host and a valid port, and no user")
    return target


def _port(target: httpx.URL) -> int:
    return _PORTS[target.scheme] if target.port is None else target.port


@asynccontextmanager
async def _deadline(seconds: float) -> AsyncIterator[None]:
    """End the block after so many seconds by TookTooLong."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise TookTooLong(f"it took more than {seconds:g} seconds") from None
