"""Where pictures are decoded: a few processes that are started when needed and ended when late.

Pictures wait by caller. Callers take turns, and none has more than one picture in progress, so that
nobody waits behind another's hundred pictures, nor behind a single one that uses up all its time.
Callers whose pictures take long leave one process to the others, however many such callers there
are. Workers' results have processes of their own. A process that is late, dies or is not needed for
a while is ended, and the next picture starts another.
"""

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Final

import structlog

from core.images.failures import (
    DecoderBusy,
    ImageValidationFailed,
    TooManyPictures,
    TooManyPixels,
)
from core.images.process import Process, Work
from core.images.protocol import Outcome

MAX_WAITING_A_CALLER: Final = 16
MAX_WAITING: Final = 256
PROCESSES: Final = 2
"""For sources, and as many for results: a slow picture holds up one process only."""
IDLE_SECONDS: Final = 60.0
SLOW_SECONDS: Final = 1.0
"""A picture that takes longer makes its caller a slow one for some time."""
SLOW_FOR_SECONDS: Final = 60.0
MAX_SLOW: Final = 10_000
"""The most slow callers that are remembered; the first is forgotten first."""
_log = structlog.get_logger(__name__)


class Decoders:
    """The processes that decode pictures for this server. They are started when there is work."""

    def __init__(self, processes: int = PROCESSES) -> None:
        self._sources = _Lane(processes)
        self._results = _Lane(processes)

    async def source(self, work: Work, *, caller: str) -> bytes:
        """Decode a source picture. caller: whoever takes turns with the others.

        Raises ImageValidationFailed, TooManyPictures and DecoderBusy.
        """
        return await self._sources.decode(work, caller)

    async def result(self, work: Work, *, caller: str) -> bytes:
        """Decode a worker's result; otherwise the same."""
        return await self._results.decode(work, caller)

    @property
    def process_ids(self) -> list[int]:
        """The processes that run now."""
        return [*self._sources.process_ids, *self._results.process_ids]

    async def close(self) -> None:
        """End all processes; waiting pictures fail."""
        await self._sources.close()
        await self._results.close()


@dataclass(slots=True)
class _Job:
    work: Work
    caller: str
    result: asyncio.Future[bytes]


@dataclass(slots=True, eq=False)
class _Lane:
    """Processes that take pictures from the same queues."""

    size: int
    _waiting: dict[str, deque[_Job]] = field(default_factory=dict)
    """By caller; the one whose turn is next comes first."""
    _running: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    """The pictures in progress, by caller."""
    _idle: list[Process] = field(default_factory=list)
    _all: set[Process] = field(default_factory=set)
    _slow: dict[str, float] = field(default_factory=dict)
    """Callers whose last picture took long, and until when that counts."""
    _is_closed: bool = False

    @property
    def process_ids(self) -> list[int]:
        return [process.pid for process in self._all]

    async def decode(self, work: Work, caller: str) -> bytes:
        if self._is_closed or sum(map(len, self._waiting.values())) >= MAX_WAITING:
            raise DecoderBusy("Too many pictures are being decoded. Please try again later.")
        queue = self._waiting.setdefault(caller, deque())
        if len(queue) >= MAX_WAITING_A_CALLER:
            raise TooManyPictures(
                f"You have {len(queue)} pictures waiting to be decoded. Please wait for them."
            )
        job = _Job(work, caller, asyncio.get_running_loop().create_future())
        queue.append(job)
        self._dispatch()
        try:
            return await job.result
        finally:
            if job in queue:  # the caller has gone away
                queue.remove(job)
                self._forget(caller)

    def _dispatch(self) -> None:
        """Give work to processes, as long as there are both."""
        while len(self._running) < self.size and (job := self._next()) is not None:
            task = asyncio.ensure_future(self._run(job))
            self._running[job.caller] = task

    def _next(self) -> _Job | None:
        """The first picture of the next caller who has none in progress."""
        slow = sum(map(self._is_slow, self._running))
        is_full = slow >= max(1, self.size - 1)
        for caller, queue in self._waiting.items():
            if caller not in self._running and not (is_full and self._is_slow(caller)):
                job = queue.popleft()
                self._waiting[caller] = self._waiting.pop(caller)  # to the end of the line
                self._forget(caller)
                return job
        return None

    def _is_slow(self, caller: str) -> bool:
        return self._slow.get(caller, 0.0) > time.monotonic()

    def _remember(self, caller: str, seconds: float) -> None:
        """Keep in mind how long the caller's picture took."""
        self._slow.pop(caller, None)
        if seconds > SLOW_SECONDS:
            self._slow[caller] = time.monotonic() + SLOW_FOR_SECONDS
            if len(self._slow) > MAX_SLOW:
                del self._slow[next(iter(self._slow))]

    def _forget(self, caller: str) -> None:
        if caller in self._waiting and not self._waiting[caller]:
            del self._waiting[caller]

    async def _run(self, job: _Job) -> None:
        try:
            found = await self._decoded(job)
        except asyncio.CancelledError:
            if not job.result.done():
                job.result.set_exception(_closed())
            raise
        except Exception as error:  # noqa: BLE001 - passed on to the waiting caller
            if not job.result.done():
                job.result.set_exception(error)
        else:
            if not job.result.done():
                job.result.set_result(found)
        finally:
            self._running.pop(job.caller, None)
            if not self._is_closed:
                self._dispatch()

    async def _decoded(self, job: _Job) -> bytes:
        """Let a process decode it. The process is kept if it answered, and ended if not."""
        process = self._kept() or await self._started()
        is_answered, is_new, start = False, process.is_new, time.monotonic()
        try:
            answer = await process.ask(job.work)
            is_answered = True
        finally:
            if not (is_new and is_answered):  # a new one has taken its time to start
                self._remember(job.caller, time.monotonic() - start)
            if is_answered and not self._is_closed:
                self._idle.append(process)
                process.end_after(IDLE_SECONDS, self._end_idle)
            else:
                self._all.discard(process)
                await process.end()
        return _picture(*answer)

    def _kept(self) -> Process | None:
        """An idle process that has not died meanwhile, if there is one."""
        while self._idle:
            process = self._idle.pop()
            process.keep()
            if process.is_alive:
                return process
            self._all.discard(process)
        return None

    async def _started(self) -> Process:
        try:
            process = await Process.start()
        except OSError as error:
            _log.error("no decoder can be started", error=str(error))
            raise DecoderBusy("No picture can be decoded now. Please try again later.") from None
        self._all.add(process)
        return process

    def _end_idle(self, process: Process) -> None:
        self._idle.remove(process)
        self._all.discard(process)
        process.kill()

    async def close(self) -> None:
        self._is_closed = True
        for queue in self._waiting.values():
            for job in queue:
                job.result.set_exception(_closed())
        for task in list(self._running.values()):
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)
        for process in list(self._all):
            await process.end()
        self._all.clear()
        self._idle.clear()


def _picture(outcome: int, content: bytes) -> bytes:
    if outcome == Outcome.DONE:
        return content
    reason = content.decode(errors="replace")
    if outcome == Outcome.TOO_LARGE:
        raise TooManyPixels(reason)
    raise ImageValidationFailed(reason, is_picture=outcome != Outcome.NO_PICTURE)


def _closed() -> DecoderBusy:
    return DecoderBusy("The server is stopping. Please try again later.")
