"""One poller for all running jobs: looks at each as often as its wait deserves, in a budget.

A job is looked at again after a part of its estimated wait, so what is nearly done is looked at
often and what waits for minutes seldom. However many jobs there are, looks start at most
`MAX_LOOKS_A_SECOND` times a second.
"""

import asyncio
import contextlib
import heapq
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

import structlog

MIN_SECONDS, MAX_SECONDS = 1.0, 25.0
PART_OF_WAIT: Final = 0.15
MAX_LOOKS_A_SECOND: Final = 8.0
MAX_AT_ONCE: Final = 8

log = structlog.get_logger(__name__)

Check = Callable[[int], Awaitable[float | None]]
"""Looks at a job; returns the seconds until the next look, or None if there is none."""


@dataclass(order=True)
class _Due:
    at: float
    number: int
    job_id: int = field(compare=False)


class Watcher:
    """Knows which jobs are to be looked at, and when."""

    def __init__(self, check: Check) -> None:
        self._check = check
        self._heap: list[_Due] = []
        self._next: dict[int, _Due] = {}
        """Each job's next look; what the heap has besides is out of date."""
        self._busy: dict[int, asyncio.Task[None]] = {}
        self._numbers = itertools.count()
        self._more = asyncio.Event()
        self._room = asyncio.Semaphore(MAX_AT_ONCE)

    def __len__(self) -> int:
        return len(self._next)

    def add(self, job_id: int, seconds: float = 0.0) -> None:
        """Look at a job after so many seconds, instead of when it would have been looked at."""
        self._next[job_id] = _Due(monotonic() + seconds, next(self._numbers), job_id)
        self._push(job_id)

    def drop(self, job_id: int) -> None:
        """Watch a job no longer."""
        self._next.pop(job_id, None)

    async def run(self) -> None:
        """Look at jobs until cancelled."""
        try:
            while True:
                await self._wait_for_next()
                due = heapq.heappop(self._heap)
                if self._next.get(due.job_id) is not due or due.job_id in self._busy:
                    continue
                await self._room.acquire()
                task = asyncio.create_task(self._look(due))
                self._busy[due.job_id] = task
                await asyncio.sleep(1 / MAX_LOOKS_A_SECOND)
        finally:
            for task in list(self._busy.values()):
                task.cancel()
            await asyncio.gather(*self._busy.values(), return_exceptions=True)

    async def _wait_for_next(self) -> None:
        while not self._heap or (left := self._heap[0].at - monotonic()) > 0:
            self._more.clear()
            timeout = left if self._heap else None
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._more.wait(), timeout)

    async def _look(self, due: _Due) -> None:
        again: float | None = MAX_SECONDS
        try:
            again = await self._check(due.job_id)
        except Exception:  # whatever it is, it is this job's alone: the others are watched on
            log.exception("job.look_failed", job=due.job_id)
        finally:
            self._busy.pop(due.job_id, None)
            self._room.release()
        wanted = self._next.get(due.job_id)
        if wanted is None:
            return  # dropped meanwhile
        if wanted is not due:
            self._push(due.job_id)  # asked for meanwhile; the heap may have passed over it
        elif again is None:
            self.drop(due.job_id)
        else:
            self.add(due.job_id, again)

    def _push(self, job_id: int) -> None:
        heapq.heappush(self._heap, self._next[job_id])
        self._more.set()


def pause(wait_seconds: float) -> float:
    """How long to wait until the next look at a job that will be done in so many seconds."""
    return min(MAX_SECONDS, max(MIN_SECONDS, wait_seconds * PART_OF_WAIT))
