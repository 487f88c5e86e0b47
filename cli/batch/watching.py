"""Watches the requests of a batch: by event streams as far as the horde lets, by polling beyond."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from core.client import HordeClient, NotFound
from core.wire.events import EndEvent, Event, GenerationEvent

MAX_STREAMS: Final = 16
"""A horde lets one address have 20 open; the rest is for the page and other programs."""
MIN_POLL_SECONDS: Final = 1.0
MAX_POLL_SECONDS: Final = 5.0
IN_DOUBT_SECONDS: Final = 120.0


class Watcher:
    """Watches requests of one horde."""

    def __init__(self, client: HordeClient) -> None:
        self._client = client
        self._streams = 0

    async def events(self, request: str) -> AsyncGenerator[Event, None]:
        """Yield what happens to a request, its end last. Use it within `aclosing`."""
        if self._streams >= MAX_STREAMS:
            async with aclosing(self._polled(request)) as events:
                async for event in events:
                    yield event
            return
        self._streams += 1
        try:
            async with aclosing(self._client.events(request)) as events:
                async for event in events:
                    yield event
        finally:
            self._streams -= 1

    async def _polled(self, request: str) -> AsyncGenerator[Event, None]:
        while not (now := await self._client.check(request)).done:
            pause = min(max(MIN_POLL_SECONDS, now.wait_time / 4), MAX_POLL_SECONDS)
            await asyncio.sleep(pause)
        for index, made in enumerate((await self._client.status(request)).generations):
            yield GenerationEvent(**made.model_dump(), index=index)
        yield EndEvent(**now.model_dump())

    async def adopted(self, seed: str, known: set[str]) -> str | None:
        """The request that was asked with this seed, if its answer got lost on the way.

        It is one of the account's that is not among the known ones, and its pictures have the seed:
        nobody else's has, as it was drawn at random. None where the horde has none, and for the
        anonymous account, whose requests nobody can list.
        """
        active = (await self._client.users.me()).active_generations
        for request in sorted(set((active and active.image) or ()) - known):
            with contextlib.suppress(NotFound, TimeoutError):
                async with asyncio.timeout(IN_DOUBT_SECONDS):
                    if await self._has(request, seed):
                        return request
        return None

    async def _has(self, request: str, seed: str) -> bool:
        async with aclosing(self.events(request)) as events:
            async for event in events:
                if isinstance(event, GenerationEvent):
                    return event.seed == seed or event.index > 0
        return False
