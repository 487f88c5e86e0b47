"""How fast a batch asks: as much at once as the account may, as often as the horde lets."""

import asyncio
from collections import deque
from time import monotonic
from typing import Final

PER_MINUTE: Final = 90
"""How often a horde lets one address ask."""
PER_SECOND: Final = 2
MAX_JOBS: Final = 60
"""Jobs in flight, whatever the account may: each is watched by a connection of its own."""
AGAIN_SECONDS: Final = 5.0
"""After a refusal while nothing of ours is in flight: another program uses up the account."""


class Pace:
    """Lets requests through, one after the other.

    jobs: how many may wait or be made at once. per_minute: how many requests may be asked.
    """

    def __init__(self, jobs: int, per_minute: int = PER_MINUTE) -> None:
        self._most = max(1, min(jobs, MAX_JOBS))
        self._per_minute = per_minute
        self._per_second = max(PER_SECOND, per_minute // 30)
        self._asked = deque[float](maxlen=per_minute)
        self._in_flight = 0
        self._changed = asyncio.Condition()

    @property
    def in_flight(self) -> int:
        """Jobs that were asked and have not ended."""
        return self._in_flight

    async def enter(self, jobs: int) -> None:
        """Wait until so many jobs may be asked, and count them as in flight."""
        async with self._changed:
            # A request of more jobs than the account may have is let through alone, and refused.
            await self._changed.wait_for(
                lambda: not self._in_flight or self._in_flight + jobs <= self._most
            )
            self._in_flight += jobs
        await self._moment()

    async def leave(self, jobs: int) -> None:
        """They have ended."""
        async with self._changed:
            self._in_flight -= jobs
            self._changed.notify_all()

    async def refused(self, jobs: int) -> None:
        """The account has no room for them: wait until one has ended before the next is asked."""
        async with self._changed:
            self._in_flight -= jobs
            before = self._in_flight
            self._most = max(1, before)
            try:
                async with asyncio.timeout(AGAIN_SECONDS):
                    await self._changed.wait_for(lambda: self._in_flight < before)
            except TimeoutError:
                self._most += 1  # it was another program's work that has ended meanwhile

    async def _moment(self) -> None:
        """Wait for the next moment at which the horde lets us ask."""
        now = monotonic()
        wait = 0.0
        # A tenth more than a second and a minute: clocks and ways differ.
        if len(self._asked) == self._asked.maxlen:
            wait = self._asked[0] + 66.0 - now
        if len(self._asked) >= self._per_second:
            wait = max(wait, self._asked[-self._per_second] + 1.1 - now)
        if wait > 0:
            await asyncio.sleep(wait)
        self._asked.append(monotonic())
