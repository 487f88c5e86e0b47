"""Pops that wait for work without holding a session: woken fairly, first come first served."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from core.queue import matching
from core.queue.matching import Needs, Offer

LOOK_AGAIN_SECONDS = 2.0
"""A missed event costs at most this: every waiter looks again by itself."""


class Waiter:
    """One waiting pop. claims: whether it takes the job that wakes it, as a paused one does not."""

    def __init__(self, offer: Offer, *, claims: bool = True) -> None:
        self.offer = offer
        self.claims = claims
        self.woken = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        """Return when woken, when it is time to look again, or after `seconds`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(min(seconds, LOOK_AGAIN_SECONDS)):
                await self.woken.wait()
        self.woken.clear()


class Waiters:
    """The waiting pops of this process, in the order in which they came."""

    def __init__(self) -> None:
        self._line: dict[Waiter, None] = {}
        self.calls = 0
        """How often jobs came in; a pop that saw another number before it looked looks again."""

    @contextmanager
    def in_line(self, offer: Offer, *, calls: int, claims: bool = True) -> Iterator[Waiter]:
        """A place in the line. calls: `self.calls` from before the caller looked for work."""
        waiter = Waiter(offer, claims=claims)
        if calls != self.calls:
            waiter.woken.set()
        self._line[waiter] = None
        try:
            yield waiter
        finally:
            del self._line[waiter]

    def wake(self, needs: Needs | None, count: int) -> None:
        """Jobs came in: wake as many who may serve them.

        needs: None where they are not known yet, as of a new lane; then everybody looks.
        """
        self.calls += 1
        for waiter in self._line:
            if needs is None:
                waiter.woken.set()
            elif count > 0 and not waiter.woken.is_set() and matching.accepts(needs, waiter.offer):
                waiter.woken.set()
                count -= waiter.claims
