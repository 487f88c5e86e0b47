"""The horde's event streams of some jobs: how far each piece of them is, and how it looks.

A stream is a connection, and a horde serves each address a few of them (20). So there are at most
`MAX_STREAMS`: jobs that are being made come first, as there is something to see of them. All others
are polled, as are all where the horde has no streams. A stream ends no job: once it is over, the
job is looked at.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from time import monotonic
from typing import Final

import structlog

from bot.attachments import is_webp
from bot.jobs.looks import Look, Piece
from core.client import HordeError, NotFound, UnexpectedAnswer, pictures
from core.wire.events import EndEvent, Event, ProgressEvent, StatusEvent
from core.wire.progress import MAX_PREVIEW_BYTES

MAX_STREAMS: Final = 12
REST_SECONDS: Final = 60.0
"""After a stream that did not open or broke off, no other one is opened for so long."""

log = structlog.get_logger(__name__)

Listen = Callable[[str], AsyncGenerator[Event, None]]
"""Opens the stream of a request."""
Saw = Callable[[int, Look], Awaitable[float]]
"""Shows how far a job is; returns in how many seconds it may show more, 0 if all is shown."""
Over = Callable[[int], None]
"""Told once a job is listened to no more."""


class Streams:
    """Jobs that are listened to."""

    def __init__(self, listen: Listen, saw: Saw, over: Over) -> None:
        self._listen, self._saw, self._over = listen, saw, over
        self._followed: dict[int, asyncio.Task[None]] = {}
        self._waiting: dict[int, None] = {}
        """Those of which nothing is being made, the oldest first."""
        self._rests_until = float("-inf")

    def follow(self, job_id: int, request_id: str, look: Look) -> bool:
        """Listen to a job, if there is room. Returns whether it is listened to.

        A job that is being made takes the room of one that still waits.
        """
        if job_id in self._followed:
            return True
        if monotonic() < self._rests_until:
            return False
        if len(self._followed) >= MAX_STREAMS:
            if not (look.processing and self._waiting):
                return False
            self.drop(next(iter(self._waiting)))
        self._note(job_id, look)
        self._followed[job_id] = asyncio.create_task(self._follow(job_id, request_id))
        return True

    def drop(self, job_id: int) -> None:
        """Listen to a job no longer."""
        self._waiting.pop(job_id, None)
        if task := self._followed.pop(job_id, None):
            task.cancel()

    async def close(self) -> None:
        """Close all streams."""
        tasks = list(self._followed.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, job_id: int, request_id: str) -> None:
        making = Making()
        showing = asyncio.create_task(self._show(job_id, making))
        try:
            async with aclosing(self._listen(request_id)) as events:
                async for event in events:
                    if isinstance(event, EndEvent):
                        break
                    making.take(event)
                    if making.look.is_over:
                        break
                    self._note(job_id, making.look)
        except HordeError as error:
            log.info("stream.over", job=job_id, error=type(error).__name__)
            if not (isinstance(error, NotFound) and error.rc == "RequestNotFound"):
                self._rests_until = monotonic() + REST_SECONDS
        finally:
            showing.cancel()
            await asyncio.gather(showing, return_exceptions=True)
            if self._followed.get(job_id) is asyncio.current_task():
                del self._followed[job_id]
                self._waiting.pop(job_id, None)
            self._over(job_id)

    def _note(self, job_id: int, look: Look) -> None:
        if look.processing:
            self._waiting.pop(job_id, None)
        else:
            self._waiting[job_id] = None

    async def _show(self, job_id: int, making: "Making") -> None:
        """Show what is new at the pace at which it may be shown; what is outdated is skipped."""
        while True:
            await making.news.wait()
            making.news.clear()
            try:
                wait = await self._saw(job_id, making.look)
            except Exception:  # whatever it is, the next news may be shown
                log.exception("stream.not_shown", job=job_id)
                continue
            if wait:
                making.news.set()
                await asyncio.sleep(wait)


class Making:
    """What a stream has told of a request so far."""

    def __init__(self) -> None:
        self.news: Final = asyncio.Event()
        self._whole = Look()
        self._pieces: dict[int, Piece] = {}

    @property
    def look(self) -> Look:
        """How far the request is."""
        pieces = tuple(self._pieces[number] for number in sorted(self._pieces))
        return replace(self._whole, pieces=pieces)

    def take(self, event: Event) -> None:
        """Note what an event tells."""
        if isinstance(event, StatusEvent):
            self._whole = Look.of(event)
            for job in event.jobs:
                self._note(job.index, state=job.state)
        elif isinstance(event, ProgressEvent) and event.index in self._pieces:
            seen = {"preview": _preview(event.preview), "text": event.text}
            shown = {name: value for name, value in seen.items() if value is not None}
            self._note(event.index, step=event.step, steps=event.steps, **shown)
        else:
            return
        self.news.set()

    def _note(self, index: int, **values: object) -> None:
        before = self._pieces.get(index, Piece())
        self._pieces[index] = replace(before, **values)  # type: ignore[arg-type] # fields of a Piece


def _preview(text: str | None) -> bytes | None:
    """A preview's bytes; None if it is none."""
    if not text:
        return None
    try:
        content = pictures.decode(text, max_bytes=MAX_PREVIEW_BYTES)
    except UnexpectedAnswer:  # too large, or no base64
        return None
    return content if is_webp(content) else None
