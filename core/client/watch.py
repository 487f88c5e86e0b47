"""Follows a request until it ends: by its event stream, or by polling if there is none."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from time import monotonic
from typing import Final

from core.client.errors import HordeError, NotFound, Unreachable
from core.client.retries import Retries
from core.wire.events import EndEvent, Event, GenerationEvent, StatusEvent
from core.wire.generate import RequestStatusCheck, RequestStatusStable

STATUS_SECONDS: Final = 10.0
"""A status may be asked for ten times a minute, a check ten times a second."""


@dataclass(frozen=True)
class Source:
    """The ways to learn about a request."""

    stream: Callable[[], AsyncGenerator[Event, None]]
    check: Callable[[], Awaitable[RequestStatusCheck]]
    status: Callable[[], Awaitable[RequestStatusStable]]


async def follow(
    source: Source, *, retries: Retries, poll_seconds: float
) -> AsyncGenerator[Event, None]:
    """Yield what happens to a request, `EndEvent` last; each picture once, whatever breaks.

    A broken stream is connected again, with twice the attempts of a call; then, or if there is no
    stream, the request is polled.

    Raises NotFound if the server does not know the request, and what `check` raises.
    """
    patience = replace(retries, attempts=2 * retries.attempts)
    seen: set[str] = set()
    failures = 0
    while True:
        error: HordeError = Unreachable("The event stream broke off.")
        try:
            async with aclosing(source.stream()) as events:
                async for event in events:
                    failures = 0
                    if _is_new(event, seen):
                        yield event
                    if isinstance(event, EndEvent):
                        return
        except HordeError as reason:
            error = reason
        if isinstance(error, NotFound) and error.rc == "RequestNotFound":
            raise error
        failures += 1
        pause = patience.pause(failures, error)
        if pause is None:
            break
        await asyncio.sleep(pause)
    async with aclosing(_poll(source, seen, poll_seconds)) as events:
        async for event in events:
            yield event


def _is_new(event: Event, seen: set[str]) -> bool:
    if not isinstance(event, GenerationEvent):
        return True
    if event.id in seen:
        return False
    seen.add(event.id)
    return True


async def _poll(source: Source, seen: set[str], poll_seconds: float) -> AsyncGenerator[Event, None]:
    """Poll the request. Pictures are numbered in the order in which they are seen."""
    last: RequestStatusCheck | None = None
    looked = monotonic() - STATUS_SECONDS
    while True:
        now = await source.check()
        if now != last:
            yield StatusEvent(**now.model_dump())
        last = now
        if now.finished > len(seen) and (now.done or monotonic() - looked >= STATUS_SECONDS):
            looked = monotonic()
            for generation in (await source.status()).generations:
                index = len(seen)
                event = GenerationEvent(**generation.model_dump(), index=index)
                if _is_new(event, seen):
                    yield event
        if now.done:
            yield EndEvent(**now.model_dump())
            return
        await asyncio.sleep(poll_seconds)
