"""Looks names up, in threads, so that names without an answer hold up only their callers.

A look-up cannot be stopped: its thread is busy for as long as the system tries, even if nobody
waits any more. So each caller gets few threads, and waits for its own earlier names.
"""

import asyncio
import ipaddress
import re
import socket
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Final
from weakref import WeakValueDictionary

from core.outside import NoAnswer

Address = IPv4Address | IPv6Address

MAX_THREADS: Final = 64
MAX_FOR_CALLER: Final = 4
"""Look-ups of one caller at once."""
MAX_OWN: Final = 8
"""Threads for the horde's own look-ups, which no caller can hold up."""

_OLD_IPV4: Final = re.compile(r"[0-9a-fx.]+", re.IGNORECASE)
"""IPv4 as the C library reads it, too: `127.1`, `0x7f.1`, `2130706433`."""


class Names:
    """Looks names up for many callers."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="resolve")
        self._own = ThreadPoolExecutor(MAX_OWN, thread_name_prefix="resolve-own")
        self._turns = WeakValueDictionary[str, asyncio.Semaphore]()

    async def look_up(self, host: str, port: int, caller: str) -> list[Address]:
        """The addresses of a host, best first. An address stands for itself, without a look-up.

        caller: who named the host; empty: the horde itself. Raises NoAnswer.
        """
        if (literal := _literal(host)) is not None:
            return [literal]
        running = await self._begun(host, port, caller)
        try:
            answers = await asyncio.wrap_future(running)
        except (OSError, UnicodeError):
            raise NoAnswer("its host is unknown") from None
        texts = dict.fromkeys(str(answer[4][0]).partition("%")[0] for answer in answers)
        return [ipaddress.ip_address(text) for text in texts]

    def close(self) -> None:
        """Begin no more look-ups; running ones are not waited for."""
        for threads in (self._threads, self._own):
            threads.shutdown(wait=False, cancel_futures=True)

    async def _begun(self, host: str, port: int, caller: str) -> "Future[list[tuple[Any, ...]]]":
        """Do the look-up at the caller's turn, which lasts until the thread is free again."""

        def ask() -> list[tuple[Any, ...]]:
            return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)

        if not caller:
            return self._own.submit(ask)
        turn = self._turns.setdefault(caller, asyncio.Semaphore(MAX_FOR_CALLER))
        await turn.acquire()
        loop = asyncio.get_running_loop()

        def done(_: object) -> None:
            with suppress(RuntimeError):  # the loop is closed already
                loop.call_soon_threadsafe(turn.release)

        running = self._threads.submit(ask)
        running.add_done_callback(done)
        return running


def _literal(host: str) -> Address | None:
    with suppress(ValueError):
        return ipaddress.ip_address(host.partition("%")[0])
    if _OLD_IPV4.fullmatch(host):
        with suppress(OSError):
            return IPv4Address(socket.inet_aton(host))
    return None
