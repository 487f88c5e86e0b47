"""Calls another program of this machine, and says what goes wrong in the worker's words."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Final, TypeVar

import httpx

from worker.proxy.servers import NotAnswering
from worker.renderer import CannotRender

T = TypeVar("T")

CONNECT_SECONDS: Final = 5.0
ASK_SECONDS: Final = 30.0
MAKE_SECONDS: Final = 3600.0
"""The worker's watchdog and the job's deadline end it long before."""
MAX_BYTES: Final = 256 * 2**20
POLL_SECONDS: Final = 0.25


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
        try:
            with self._http.stream(method, path, **how) as response:
                content = b""
                for piece in response.iter_bytes():
                    content += piece
                    if len(content) > MAX_BYTES:
                        raise CannotRender("the server's answer is too long")
        except httpx.HTTPError as error:
            raise NotAnswering(f"{self.url}: {type(error).__name__}") from error
        if response.status_code in {401, 403}:
            raise NotAnswering(f"{self.url} wants a key or a login ({response.status_code})")
        if response.is_error:
            raise CannotRender(f"the server refuses: {_reason(response.status_code, content)}")
        return content

    def lines(self, path: str, body: Mapping[str, Any], take: Callable[[str], None]) -> None:
        """Have something done whose answer comes line by line. Raises as `content` does."""
        timeout = httpx.Timeout(MAKE_SECONDS, connect=CONNECT_SECONDS)
        try:
            with self._http.stream("POST", path, json=body, timeout=timeout) as response:
                if response.is_error:
                    content = response.read()[:MAX_BYTES]
                    if response.status_code in {401, 403}:
                        raise NotAnswering(f"{self.url} wants a key ({response.status_code})")
                    raise CannotRender(
                        f"the server refuses: {_reason(response.status_code, content)}"
                    )
                for line in response.iter_lines():
                    take(line)
        except httpx.HTTPError as error:
            raise NotAnswering(f"{self.url}: {type(error).__name__}") from error

    def _json(self, content: bytes) -> Any:  # noqa: ANN401
        try:
            return httpx.Response(200, content=content).json() if content else None
        except ValueError:
            raise NotAnswering(f"{self.url} answers with something else than JSON") from None


def meanwhile(make: Callable[[], T], look: Callable[[], None], stop: Callable[[], None]) -> T:
    """Make something in a thread, and look at how far it is again and again.

    look: may raise, where nobody wants it any more; then `stop` is called, which lets it end.
    """
    with ThreadPoolExecutor(1) as pool:
        made: Future[T] = pool.submit(make)
        try:
            while not wait((made,), POLL_SECONDS).done:
                look()
        except BaseException:
            stop()
            wait((made,), ASK_SECONDS)
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


def _reason(status: int, content: bytes) -> str:
    """Say why, in as few words as the program itself has for it."""
    try:
        told = httpx.Response(200, content=content).json()
    except ValueError:
        return str(status)
    for key in ("detail", "error", "message", "errors"):
        said = told.get(key) if isinstance(told, dict) else None
        if isinstance(said, dict):
            said = said.get("message") or said.get("msg")
        if isinstance(said, list) and said and isinstance(said[0], dict):
            said = f"{'.'.join(map(str, said[0].get('loc', ())))}: {said[0].get('msg')}"
        if said and isinstance(said, str):
            return f"{status} {said[:150]}"
    return str(status)
