"""Tells the horde how far each batch is, and learns from its answers what nobody waits for.

An extension of ours: a horde that does not have it says so once, and is not told anything again.
Where it has, a worker that was killed is missed within a minute, and its jobs are given to others.
"""

import asyncio
import base64
import contextlib
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

import structlog

from core.client import HordeError
from core.wire.progress import JobAtWork, ProgressHeard, ProgressInput
from worker.kind import Batch
from worker.wanted import Wanted

MIN_SECONDS: Final = 0.6
MAX_SECONDS: Final = 10.0
"""Between two calls for a batch, whatever a server asks for."""
UNHEARD: Final = frozenset(
    {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED}
)

log = structlog.get_logger(__name__)


class Beats:
    """The signs of life of one worker. tell: makes the call."""

    def __init__(self, tell: Callable[[ProgressInput], Awaitable[ProgressHeard]]) -> None:
        self._tell = tell
        self._is_heard = True
        self._was_heard = False
        self._first: asyncio.Future[ProgressHeard | None] | None = None
        self._tasks: dict[tuple[str, ...], asyncio.Task[None]] = {}

    def begin(self, batch: Batch, wanted: Wanted) -> None:
        """Tell of this batch from now on."""
        if self._is_heard:
            self._tasks[batch.ids] = asyncio.create_task(self._beat(batch, wanted))

    def end(self, batch: Batch) -> None:
        """Tell of it no more."""
        if (task := self._tasks.pop(batch.ids, None)) is not None:
            task.cancel()

    def close(self) -> None:
        """Tell of nothing any more."""
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()
        if self._first is not None:
            self._first.cancel()

    async def _beat(self, batch: Batch, wanted: Wanted) -> None:
        while self._is_heard:
            if self._first is not None and not self._was_heard and not self._first.done():
                await asyncio.wait({self._first})  # whether anybody listens is asked once
                continue
            wanted.news.clear()
            began = time.monotonic()
            call = asyncio.ensure_future(self._call(batch, wanted))
            if not self._was_heard:
                self._first = call
            # A batch that ends leaves the answer to the first call to the others.
            heard = await (asyncio.shield(call) if call is self._first else call)
            if heard is not None and set(batch.ids) <= set(heard.gone):
                wanted.gone()
                return
            if heard is not None and heard.watched:
                wanted.look()
            pause = MAX_SECONDS if heard is None else max(MIN_SECONDS, heard.seconds)
            await asyncio.sleep(began + min(pause, MAX_SECONDS) - time.monotonic())
            with contextlib.suppress(TimeoutError):  # nothing new, but it lives
                async with asyncio.timeout(began + MAX_SECONDS - time.monotonic()):
                    await wanted.news.wait()

    async def _call(self, batch: Batch, wanted: Wanted) -> ProgressHeard | None:
        """Tell the horde; None: it did not hear this time, or never does."""
        try:
            heard = await self._tell(_said(batch, wanted))
        except HordeError as error:
            self._is_heard = self._is_heard and error.status not in UNHEARD
            log.debug("progress not told", reason=str(error))
        except Exception as error:  # noqa: BLE001 - the work goes on whoever hears of it
            log.debug("progress not told", reason=type(error).__name__)
        else:
            self._was_heard = True
            return heard
        return None


def _said(batch: Batch, wanted: Wanted) -> ProgressInput:
    shown = wanted.shown
    jobs = [JobAtWork(id=job) for job in batch.ids]
    if shown is not None and shown.index < len(jobs):
        seen = (
            {"text": shown.data}
            if isinstance(shown.data, str)
            else {"preview": base64.b64encode(shown.data).decode()}
        )
        jobs[shown.index] = JobAtWork(id=batch.ids[shown.index], **seen)
    return ProgressInput(jobs=jobs, step=wanted.step, steps=max(wanted.step, wanted.steps, 1))
