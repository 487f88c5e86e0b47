"""Fetches files: resumed where they were cut off, checked against what they should be.

A file lies under its name once it is whole and right, and not before; what there is of it meanwhile
ends in `.part`. Nothing that a server says is believed where it can be seen: not its length, not
where it redirects to, not that it goes on where the last answer ended.
"""

import asyncio
import json
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx

from core.client.errors import from_answer
from worker.downloads.parts import CannotFetch, NoRoom, Part, facts_of, see_room
from worker.shelf import FileFacts

T = TypeVar("T")

REDIRECTS: Final = 5
MAX_JSON_BYTES: Final = 16 * 2**20
MAX_FILE_BYTES: Final = 2**37
"""128 GiB: more than any file of a model has."""
SILENCE_SECONDS: Final = 60.0
SECRET: Final = "authorization"  # noqa: S105 - a header's name


class NeedsToken(CannotFetch):
    """The server gives it to those it knows only."""


class _Again(Exception):
    """It did not go well, and may do so next time. seconds: how long the server asks to wait."""

    def __init__(self, reason: str, seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.seconds = seconds


@dataclass(frozen=True)
class Remote:
    """A file elsewhere.

    bytes: its length, where it is known for certain. about: its length, where it is known roughly.
    sha256: in hexadecimal digits, where it is known.
    """

    url: str
    bytes: int | None = None
    about: int | None = None
    sha256: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int | None:
        """How much room it takes, as far as it is known."""
        return self.bytes if self.bytes is not None else self.about


@dataclass(frozen=True)
class Patience:
    """How often to try in a row without getting any further, and how long to wait in between."""

    attempts: int = 8
    first_seconds: float = 1.0
    longest_seconds: float = 60.0
    patience_seconds: float = 600.0
    """Where the server asks for a longer pause than this, that is the end."""
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep

    async def rest(self, failures: int, error: _Again) -> None:
        """Wait after so many failures in a row. Raises CannotFetch where there were too many."""
        if failures >= self.attempts or error.seconds > self.patience_seconds:
            again = f", and not before {error.seconds:.0f} s" if error.seconds else ""
            raise CannotFetch(f"{error}{again}; what is here already is kept for the next try")
        own = min(self.longest_seconds, self.first_seconds * 2.0 ** (failures - 1))
        await self.sleep(max(error.seconds, own * random.uniform(0.5, 1)))  # noqa: S311 - no secret


class Transfer:
    """Fetches files over HTTP.

    on_bytes: is told how many bytes of the file are here, and how many there will be (0: unknown).
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        patience: Patience | None = None,
        on_bytes: Callable[[int, int], None] = lambda *_: None,
    ) -> None:
        self._http = http
        self._patience = patience or Patience()
        self._on_bytes = on_bytes

    async def json(self, url: str, headers: Mapping[str, str]) -> Any:  # noqa: ANN401 - what it says
        """Get what an API says. Raises CannotFetch."""
        content = await self._patiently(lambda: self._small(url, headers), lambda: 0)
        try:
            return json.loads(content)
        except ValueError:
            raise CannotFetch(f"{_host(url)} does not answer as it should") from None

    async def file(self, remote: Remote, target: Path) -> FileFacts:
        """Have a file whole in its place. Raises CannotFetch.

        What is there under its name is taken for it where its length and checksum are right.
        """
        facts = await asyncio.to_thread(_here, target)
        if facts is not None and _is_right(facts, remote):
            self._on_bytes(facts.bytes, facts.bytes)
            return facts
        part = Part(target)
        await self._patiently(lambda: self._rest_of(remote, part), part.size)
        facts = await asyncio.to_thread(facts_of, part.path)
        if not _is_right(facts, remote):
            part.remove()
            raise CannotFetch(
                f"{target.name} is not what it should be ({facts.bytes} bytes, sha256 "
                f"{facts.sha256}), and is removed; try again, or another source"
            )
        part.path.replace(target)
        part.remove()
        return facts

    async def _patiently(self, attempt: Callable[[], Awaitable[T]], got: Callable[[], int]) -> T:
        """Try until it goes well. got: how far it is; going further makes patience new."""
        failures = 0
        while True:
            before = got()
            try:
                return await attempt()
            except _Again as error:
                failures = 1 if got() > before else failures + 1
                await self._patience.rest(failures, error)

    async def _small(self, url: str, headers: Mapping[str, str]) -> bytes:
        async with self._opened(url, headers) as response:
            _refuse(response, await _message(response))
            content = b""
            async for piece in _pieces(response):
                content += piece
                if len(content) > MAX_JSON_BYTES:
                    raise CannotFetch(f"{_host(url)} does not stop answering")
            return content

    async def _rest_of(self, remote: Remote, part: "Part") -> None:
        """Fetch what is missing of a file."""
        have = part.size()
        if remote.bytes is not None and have == remote.bytes:
            return
        headers = {**remote.headers, "Accept-Encoding": "identity", **part.condition()}
        async with self._opened(remote.url, headers) as response:
            if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                part.remove()
                raise _Again(f"{_host(remote.url)} does not go on where the file ended")
            _refuse(response, await _message(response))
            if response.headers.get("Content-Type", "").startswith("text/html"):
                raise NeedsToken(f"{_host(remote.url)} answers with a page: it may want a login")
            begin, total = _extent(response)
            if begin != have:
                part.remove()
                if begin:
                    raise _Again(f"{_host(remote.url)} goes on somewhere else than asked")
            limit = remote.bytes or total or MAX_FILE_BYTES
            see_room(part.path.parent, (remote.size or total) - begin)
            part.note(response.headers.get("ETag", ""))
            await self._write(response, part, begin, limit)
        if total and part.size() < total:
            raise _Again(f"{_host(remote.url)} ended in the middle")
        if remote.bytes is not None and part.size() < remote.bytes:
            raise _Again(f"{_host(remote.url)} sent {part.size()} of {remote.bytes} bytes")

    async def _write(self, response: httpx.Response, part: "Part", begin: int, limit: int) -> None:
        have = begin
        try:
            with part.path.open("ab" if begin else "wb") as file:
                async for piece in _pieces(response):
                    have += len(piece)
                    if have > limit:
                        break
                    file.write(piece)
                    self._on_bytes(have, limit if limit < MAX_FILE_BYTES else 0)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise NoRoom(f"{part.path}: {error.strerror}; what is here is kept") from error
        if have > limit:
            part.remove()
            raise CannotFetch(f"{_host(str(response.url))} sends more than {limit} bytes")

    @asynccontextmanager
    async def _opened(self, url: str, headers: Mapping[str, str]) -> AsyncIterator[httpx.Response]:
        """Open an address and follow where it leads, without the secret to anybody else.

        Raises CannotFetch, and _Again where the connection fails.
        """
        sent = dict(headers)
        try:
            for _ in range(REDIRECTS + 1):
                request = self._http.build_request(
                    "GET", url, headers=sent, timeout=SILENCE_SECONDS
                )
                response = await self._http.send(request, stream=True)
                try:
                    if not response.has_redirect_location:
                        yield response
                        return
                    onward = str(response.url.join(response.headers["Location"]))
                finally:
                    await response.aclose()
                _see_redirect(url, onward)
                if httpx.URL(onward).netloc != httpx.URL(url).netloc:
                    sent = {name: one for name, one in sent.items() if name.lower() != SECRET}
                url = onward
        except (httpx.InvalidURL, httpx.UnsupportedProtocol):
            raise CannotFetch(f"{url} is no address") from None
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise _Again(f"{_host(url)}: {type(error).__name__}") from None
        raise CannotFetch(f"{_host(url)} redirects more than {REDIRECTS} times")


def _here(target: Path) -> FileFacts | None:
    """Measure what is there already, and make the folder where nothing is."""
    target.parent.mkdir(parents=True, exist_ok=True)
    return facts_of(target) if target.is_file() else None


def _is_right(facts: FileFacts, remote: Remote) -> bool:
    if remote.bytes is not None and facts.bytes != remote.bytes:
        return False
    return remote.sha256 is None or facts.sha256 == remote.sha256.lower()


async def _pieces(response: httpx.Response) -> AsyncIterator[bytes]:
    # As they come: what a chunk size would keep back is lost where the connection is cut.
    async for piece in response.aiter_raw():
        yield piece


async def _message(response: httpx.Response) -> bytes:
    """Read what an error says, as far as it is an error."""
    if not response.is_error:
        return b""
    content = b""
    async for piece in _pieces(response):
        content += piece
        if len(content) > 2**16:
            break
    return content


def _refuse(response: httpx.Response, content: bytes) -> None:
    """Raise what a status stands for."""
    status, where = response.status_code, _host(str(response.url))
    if not response.is_error:
        return
    error = from_answer(status, response.headers, content)
    if status in {401, 403}:
        raise NeedsToken(
            f"{where} wants a login ({status}): accept the model's terms there, make a token, "
            "and set it as hub_token or civitai_token"
        )
    if status in {408, 429} or status >= 500:  # noqa: PLR2004 - statuses of passing trouble
        raise _Again(f"{where} answered {status}", error.retry_after_seconds or 0.0)
    if status in {404, 410}:
        raise CannotFetch(f"{where} has no such file ({status})")
    raise CannotFetch(f"{where} refuses ({status}): {error.message}")


def _extent(response: httpx.Response) -> tuple[int, int]:
    """Say where an answer begins in the file, and how long the file is (0: it does not say)."""
    if response.status_code == httpx.codes.PARTIAL_CONTENT:
        unit, _, extent = response.headers.get("Content-Range", "").partition(" ")
        first, _, rest = extent.partition("-")
        total = rest.partition("/")[2]
        if unit == "bytes" and first.isdecimal():
            return int(first), int(total) if total.isdecimal() else 0
        raise _Again("the server sent a part, but not which")
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if length.isdecimal() else 0


def _see_redirect(url: str, onward: str) -> None:
    before, after = httpx.URL(url).scheme, httpx.URL(onward).scheme
    if after not in {"http", "https"} or (before == "https" and after != "https"):
        raise CannotFetch(f"{_host(url)} redirects to an address that is not safe ({after}:)")


def _host(url: str) -> str:
    return httpx.URL(url).netloc.decode(errors="replace").rpartition("@")[2]
