"""Makes HTTP calls: one origin gets the key, every call has a limit of time and of size."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import httpx

from core.client.errors import TooLarge, UnexpectedAnswer, Unreachable, from_answer
from core.client.guard import NotPublic

REDIRECTS: Final = 5
MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024
"""Ten thousand workers fit."""
MAX_PICTURES_BYTES: Final = 64 * 1024 * 1024
"""Twenty large pictures in base64 fit."""
MAX_ERROR_BYTES: Final = 64 * 1024


@dataclass(frozen=True)
class Call:
    """A call to be made.

    seconds: in `fetch`: for the whole call, from connecting to the answer's last byte; in `opened`:
        for each silence, so that a stream may last.
    own_origin: whether redirects must stay with the origin of `url`, as the key and the body do.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    seconds: float
    content: bytes | None = None
    longest_bytes: int = MAX_ANSWER_BYTES
    own_origin: bool = True


async def fetch(http: httpx.AsyncClient, call: Call) -> bytes:
    """Make a call once. Returns the answer's body.

    Raises Unreachable if there is no answer in time, TooLarge if it is too long, and for an error
    the HordeError that corresponds to it.
    """
    try:
        async with asyncio.timeout(call.seconds), opened(http, call) as response:
            return await _read(response, call.longest_bytes)
    except TimeoutError:
        raise Unreachable(
            f"{_host(call.url)} did not answer in {call.seconds:g} seconds."
        ) from None


@asynccontextmanager
async def opened(http: httpx.AsyncClient, call: Call) -> AsyncIterator[httpx.Response]:
    """Make a call and follow its redirects; the body still has to be read.

    Raises as `fetch` does, also for failures while the body is read.
    """
    url = call.url
    try:
        for _ in range(REDIRECTS + 1):
            async with http.stream(
                call.method,
                url,
                headers=call.headers,
                content=call.content,
                timeout=call.seconds,
            ) as response:
                if not response.has_redirect_location:
                    await _refuse(response)
                    yield response
                    return
                url = _next(call, response)
    except NotPublic as error:
        raise UnexpectedAnswer(None, None, f"{_host(url)} is not called: {error}.") from None
    # From None: httpx's errors contain the call, and with it the key.
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        raise UnexpectedAnswer(None, None, "This is not an address that can be called.") from None
    except (httpx.HTTPError, httpx.StreamError) as error:
        raise Unreachable(_in_words(_host(url), error)) from None
    raise UnexpectedAnswer(None, None, f"{_host(url)} answered more than {REDIRECTS} redirects.")


def origin(url: str) -> str:
    """The origin of a URL: scheme, host and port."""
    parsed = httpx.URL(url)
    return f"{parsed.scheme}://{parsed.netloc.decode()}"


async def _read(response: httpx.Response, longest_bytes: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > longest_bytes:
            host = _host(str(response.url))
            message = f"{host} sent more than {longest_bytes} bytes; the rest was not read."
            raise TooLarge(response.status_code, None, message)
        parts.append(part)
    return b"".join(parts)


async def _beginning(response: httpx.Response, longest_bytes: int) -> bytes:
    content = bytearray()
    async for part in response.aiter_bytes():
        content += part
        if len(content) > longest_bytes:
            break
    return bytes(content[:longest_bytes])


async def _refuse(response: httpx.Response) -> None:
    if response.is_success:
        return
    if response.is_error:
        content = await _beginning(response, MAX_ERROR_BYTES)
        raise from_answer(response.status_code, response.headers, content)
    message = f"{_host(str(response.url))} answered {response.status_code}, which no horde does."
    raise UnexpectedAnswer(response.status_code, None, message)


def _next(call: Call, response: httpx.Response) -> str:
    """The target of a redirect, if it may be followed."""
    target = response.url.join(response.headers["Location"])
    status, host = response.status_code, _host(call.url)
    if target.scheme not in {"http", "https"}:
        raise UnexpectedAnswer(status, None, f"{host} answered a redirect to {target.scheme}:.")
    if call.own_origin and origin(str(target)) != origin(call.url):
        message = f"{host} answered a redirect to another origin, {origin(str(target))}."
        raise UnexpectedAnswer(status, None, message)
    keeps_method = status in {307, 308}
    if call.method != "GET" and not keeps_method:
        raise UnexpectedAnswer(status, None, f"{host} answered {call.method} by a redirect.")
    return str(target)


def _in_words(host: str, error: BaseException) -> str:
    """Why there was no answer."""
    causes = []
    cause: BaseException | None = error
    while cause is not None:
        causes.append(cause)
        cause = cause.__cause__ or cause.__context__
    if any(isinstance(one, socket.gaierror) for one in causes):
        return f"{host} is not known: no machine has this name."
    if any(isinstance(one, ssl.SSLError) for one in causes):
        return f"{host} cannot be trusted: its certificate or its encryption is wrong."
    if isinstance(error, httpx.TimeoutException):
        return f"{host} did not answer in time."
    if isinstance(error, httpx.ConnectError):
        return f"{host} does not answer. Is the server running?"
    return f"{host} broke the connection off."


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]
