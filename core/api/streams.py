"""Event streams: how many there may be, and their contents."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from uuid import UUID

from core.api.hubs import Hubs
from core.errors import TooMany
from core.wire import events

STREAM_SECONDS = 3600.0
"""The longest life of a stream; then its client connects again."""
RELAXED = 10
"""This many times as many may be open if many people may share an address."""
EXTENSION = "streams"


class TooManyStreams(TooMany):
    """The address, or the whole server, has as many open streams as allowed."""

    code = "TooManyStreams"


class Streams:
    """The open streams of this process.

    most, most_of_address: how many may be open.
    """

    def __init__(self, hubs: Hubs, *, most: int, most_of_address: int) -> None:
        self.hubs = hubs
        self._most = most
        self._most_of_address = most_of_address
        self._open = 0
        self._of_address: Counter[str] = Counter()

    def check(self, address: str, *, relaxed: bool = False) -> None:
        """Raise TooManyStreams if no other one may be opened.

        relaxed: for the addresses of services, which many people share.
        """
        if self._of_address[address] >= self._most_of_address * (RELAXED if relaxed else 1):
            raise TooManyStreams(f"You have {self._of_address[address]} open streams already.")
        if self._open >= self._most:
            raise TooManyStreams("There are too many open streams. Please try again later.")

    @contextmanager
    def place(self, address: str, *, relaxed: bool = False) -> Iterator[None]:
        """Count one that is open. Raises TooManyStreams."""
        self.check(address, relaxed=relaxed)
        self._open += 1
        self._of_address[address] += 1
        try:
            yield
        finally:
            self._open -= 1
            self._of_address[address] -= 1
            if not self._of_address[address]:
                del self._of_address[address]

    async def events(
        self, request_id: UUID, address: str, *, relaxed: bool = False
    ) -> AsyncIterator[bytes]:
        """The events of the request, until it is over. Nothing waits for a slow reader."""
        try:
            with self.place(address, relaxed=relaxed):
                async for text in self._events(request_id):
                    yield text
        except TooManyStreams:  # many began at the same moment
            yield events.COME_AGAIN

    async def _events(self, request_id: UUID) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        ends, beat = loop.time() + STREAM_SECONDS, loop.time() + _until_beat()
        told, sent, seen = b"", set[str](), dict[int, bytes]()
        with self.hubs.watching(request_id) as watcher:
            hub = watcher.hub
            while True:
                if (view := hub.view) is not None:
                    for picture_id in [one for one in view.pictures if one not in sent]:
                        sent.add(picture_id)
                        yield await hub.picture(view, picture_id)
                    if view.status != told:
                        told, beat = view.status, loop.time() + _until_beat()
                        yield told
                    if view.end is not None:
                        yield view.end
                        return
                for index, glimpse in list(hub.glimpses.items()):
                    if seen.get(index) is not glimpse:
                        seen[index] = glimpse
                        beat = loop.time() + _until_beat()
                        yield glimpse
                if loop.time() >= ends or (hub.over and hub.view is view):
                    yield events.COME_AGAIN
                    return
                if not await watcher.news(max(0.0, beat - loop.time())):
                    beat = loop.time() + _until_beat()
                    yield events.HEARTBEAT


def _until_beat() -> float:
    """Spread the heartbeats of streams that get the same event at the same time."""
    return events.HEARTBEAT_SECONDS * random.uniform(0.8, 1)  # noqa: S311 - no secret
