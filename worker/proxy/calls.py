"""Calls another program of this machine, and says what goes wrong in the worker's words."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, wait
from http import HTTPStatus
from typing import Any, Final, TypeVar

import httpx

from worker.proxy.servers import NotAnswering
from worker.renderer import BrokenResult, CannotRender

T = TypeVar("T")

CONNECT_SECONDS: Final = 5.0
ASK_SECONDS: Final = 30.0
MAKE_SECONDS: Final = 3600.0
"""The worker's watchdog and the job's deadline end it long before."""
MAX_BYTES: Final = 256 * 2**20
MAX_LINE_BYTES: Final = 2**20
MAX_ERROR_BYTES: Final = 64 * 1024
POLL_SECONDS: Final = 0.25
LOCKED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
ABOUT_THE_JOB: Final = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY}
)
"""With these a program refuses one job; with others it would refuse the next one, too."""


class Caller:
    """Calls one program. key: what it wants to be told, if anything."""

    def __init__(self, url: str, key: str = "") -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.url = url
        # Without the environment's proxies: the program is on this machine, or near it.
        self._http = httpx.Client(
            base_url=url,
            headers=headers,
            timeout=httpx.Timeout(ASK_SECONDS, connect=CONNECT_SECONDS),
            trust_env=False,
            # A connection a call: they cost nothing here, and none is left open.
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    def get(self, path: str, **query: str) -> Any:  # noqa: ANN401 - whatever it answers
        """Ask for something. Raises NotAnswering, and CannotRender where it refuses."""
        return self._json(self.content("GET", path, params=query))

    def post(self, path: str, body: Mapping[str, Any], seconds: float = ASK_SECONDS) -> Any:  # noqa: ANN401
        """Have something done. Raises NotAnswering, and CannotRender where it refuses."""
        return self._json(self.content("POST", path, json=body, timeout=seconds))

    def content(self, method: str, path: str, **how: Any) -> bytes:  # noqa: ANN401 - httpx's own
        """Make a call; gives the answer's bytes. Raises NotAnswering and CannotRender."""
        with self._answering(method, path, **how) as pieces:
            return b"".join(pieces)

    @contextlib.contextmanager
    def lines(self, path: str, body: Mapping[str, Any]) -> Iterator[Iterator[str]]:
        """Have something done whose answer comes line by line; leaving it ends the call.

        Raises as `content` does.
        """
        timeout = httpx.Timeout(MAKE_SECONDS, connect=CONNECT_SECONDS)
        with self._answering("POST", path, json=body, timeout=timeout) as pieces:
            yield _lines(pieces)

    @contextlib.contextmanager
    def _answering(self, method: str, path: str, **how: Any) -> Iterator[Iterator[bytes]]:  # noqa: ANN401
        """Make a call; gives the pieces of its answer as they come."""
        try:
            with self._http.stream(method, path, **how) as response:
                if response.status_code in LOCKED:
                    code = response.status_code
                    raise NotAnswering(f"{self.url} wants a key or a login ({code})")
                if response.is_error:
                    raise _refusal(response)
                yield _bounded(response)
        except httpx.HTTPError as error:
            raise NotAnswering(f"{self.url}: {type(error).__name__}") from error

    def _json(self, content: bytes) -> Any:  # noqa: ANN401
        try:
            return httpx.Response(200, content=content).json() if content else None
        except (ValueError, RecursionError):
            raise NotAnswering(f"{self.url} answers with something else than JSON") from None


def meanwhile(make: Callable[[], T], look: Callable[[], None], stop: Callable[[], None]) -> T:
    """Make something in a thread, and look at how far it is again and again.

    look: may raise, where nobody wants it any more; then `stop` is called, which lets it end.
    Raises NotAnswering where that does not help.
    """
    made: Future[T] = Future()

    def work() -> None:
        try:
            made.set_result(make())
        except BaseException as error:  # noqa: BLE001 - it is raised where somebody waits
            made.set_exception(error)

    # Nobody waits for it at the end of the process, as for one of a pool: it may take an hour.
    threading.Thread(target=work, daemon=True).start()
    try:
        while not wait((made,), POLL_SECONDS).done:
            look()
    except BaseException as error:
        stop()
        if not wait((made,), ASK_SECONDS).done:
            raise NotAnswering("it goes on with what nobody wants any more") from error
        raise
    return made.result()


def within(seconds: float, ask: Callable[[], T]) -> T:
    """Ask until there is an answer. Raises NotAnswering where there is none in time."""
    end = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except NotAnswering:
            if time.monotonic() >= end:
                raise
            time.sleep(POLL_SECONDS)


def _bounded(response: httpx.Response) -> Iterator[bytes]:
    length = 0
    for piece in response.iter_bytes():
        length += len(piece)
        if length > MAX_BYTES:
            raise BrokenResult("the server's answer is too long")
        yield piece


def _lines(pieces: Iterator[bytes]) -> Iterator[str]:
    """Split an answer at its line feeds, and nowhere else: texts may have other ends of lines."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        if len(rest) > MAX_LINE_BYTES:
            raise BrokenResult("the server's answer has no lines")
        for line in whole:
            yield line.decode(errors="replace").strip()
    if rest:
        yield rest.decode(errors="replace").strip()


def _refusal(response: httpx.Response) -> CannotRender:
    content = b""
    for piece in response.iter_bytes():
        content += piece
        if len(content) > MAX_ERROR_BYTES:
            break
    kind = CannotRender if response.status_code in ABOUT_THE_JOB else BrokenResult
    return kind(f"the server refuses: {_reason(response.status_code, content)}")


def _reason(status: int, content: bytes) -> str:
    """Say why, in as few words as the program itself has for it."""
    try:
        told = httpx.Response(200, content=content).json()
    except (ValueError, RecursionError):
        return str(status)
    for key in ("detail", "error", "message", "errors"):
        said = told.get(key) if isinstance(told, dict) else None
        if isinstance(said, dict):
            said = said.get("message") or said.get("msg")
        if isinstance(said, list) and said and isinstance(said[0], dict):
            where = said[0].get("loc")
            place = ".".join(map(str, where)) if isinstance(where, list) else ""
            said = f"{place}: {said[0].get('msg')}"
        if said and isinstance(said, str):
            return f"{status} {said[:150]}"
    return str(status)
