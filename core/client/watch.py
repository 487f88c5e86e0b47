"""Follows a request until it ends: by its event stream, or by polling if there is none."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from time import monotonic
from typing import Final, TypeVar

from core.client import calls, stream
from core.client.api import Api, at
from core.client.errors import HordeError, NotFound, TimedOut, UnexpectedAnswer, Unreachable
from core.wire.events import HEARTBEAT_SECONDS, EndEvent, Event, GenerationEvent, StatusEvent
from core.wire.generate import RequestStatusCheck, RequestStatusStable

STATUS_SECONDS: Final = 10.0
"""A status may be asked for ten times a minute, a check ten times a second."""
SILENCE_SECONDS: Final = 3 * HEARTBEAT_SECONDS
"""An event stream that is silent for longer is broken."""

S = TypeVar("S")

Look = Callable[[], Awaitable[RequestStatusCheck]]
Status = Callable[[], Awaitable[RequestStatusStable]]


async def until_end(
    events: AsyncGenerator[Event, None],
    status: Callable[[], Awaitable[S]],
    timeout_seconds: float,
    on_event: Callable[[Event], None] | None,
) -> S:
    """Follow a request's events to their end; returns its status then. Raises TimedOut."""
    try:
        async with asyncio.timeout(timeout_seconds):
            async with aclosing(events):
                async for event in events:
                    if on_event is not None:
                        on_event(event)
            return await status()
    except TimeoutError:
        raise TimedOut(timeout_seconds) from None


async def listen(api: Api, request_id: str) -> AsyncGenerator[Event, None]:
    """Yield the events of one connection, for as long as it lasts."""
    headers = {**api.headers, "Accept": "text/event-stream"}
    url = f"{api.site}{at('generate', 'events', request_id)}"
    call = calls.Call("GET", url, headers, SILENCE_SECONDS)
    async with calls.opened(api.http, call) as response:
        if not response.headers.get("Content-Type", "").startswith("text/event-stream"):
            raise UnexpectedAnswer(response.status_code, None, "There is no event stream.")
        async with aclosing(stream.read(response.aiter_bytes())) as events:
            async for event in events:
                yield event


async def follow(
    api: Api, request_id: str, look: Look, status: Status | None = None
) -> AsyncGenerator[Event, None]:
    """Yield what happens to a request, `EndEvent` last; each picture once, whatever breaks.

    A broken stream is connected again, with twice the attempts of a call; then, or if there is no
    stream, the request is polled.

    look: gets the status. status: gets it with pictures; None if the request is for none.

    Raises NotFound if the server does not know the request, and what `look` raises.
    """
    patience = replace(api.retries, attempts=2 * api.retries.attempts)
    seen: set[str] = set()
    failures = 0
    while True:
        error: HordeError = Unreachable("The event stream broke off.")
        try:
            async with aclosing(listen(api, request_id)) as events:
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
    async with aclosing(_poll(api.poll_seconds, look, status, seen)) as events:
        async for event in events:
            yield event


def _is_new(event: Event, seen: set[str]) -> bool:
    if not isinstance(event, GenerationEvent):
        return True
    if event.id in seen:
        return False
    seen.add(event.id)
    return True


async def _poll(
    poll_seconds: float, look: Look, status: Status | None, seen: set[str]
) -> AsyncGenerator[Event, None]:
    """Poll the request. Pictures are numbered in the order in which they are seen."""
    last: RequestStatusCheck | None = None
    looked = monotonic() - STATUS_SECONDS
    while True:
        now = await look()
        if now != last:
            yield StatusEvent(**now.model_dump())
        last = now
        due = now.done or monotonic() - looked >= STATUS_SECONDS
        if status is not None and now.finished > len(seen) and due:
            looked = monotonic()
            for generation in (await status()).generations:
                index = len(seen)
                event = GenerationEvent(**generation.model_dump(), index=index)
                if _is_new(event, seen):
                    yield event
        if now.done:
            yield EndEvent(**now.model_dump())
            return
        await asyncio.sleep(poll_seconds)
