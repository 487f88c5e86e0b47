"""How long a batch is wanted: until its time is over, or the server says that it is nobody's."""

import asyncio
import math
import time
from typing import Final

from worker.kind import Batch
from worker.renderer import Shown

HOPELESS_SHARE: Final = 0.5
"""Of its time, after which a batch that will not nearly be done in time is left."""
HOPELESS: Final = 1.5
"""Times what is left of its time, that the steps to come are expected to take."""


class Wanted:
    """Whether a batch is wanted still. Use it while the engine is at it.

    stop: done once it is not; its result says why.
    show: done once somebody looks on.
    """

    def __init__(self, batch: Batch) -> None:
        loop = asyncio.get_running_loop()
        self.stop: asyncio.Future[str] = loop.create_future()
        self.show: asyncio.Future[None] = loop.create_future()
        self.is_gone = False
        """Whether the server has given it away: there is nothing to tell it."""
        self.step, self.steps = 0, max(1, batch.steps)
        self.news = asyncio.Event()
        """Set by each step."""
        self.shown: Shown | None = None
        """What was to be seen last."""
        self._batch = batch
        self._began: float | None = None
        self._reached: tuple[int, float] = (0, 0.0)
        """The step that was done last, and when."""
        self._timer: asyncio.TimerHandle | None = None
        if batch.ttl is not None:
            late = f"it was not done within the {batch.ttl:g} seconds that it had"
            left = batch.popped + batch.ttl - time.monotonic()
            self._timer = loop.call_later(max(0.0, left), self.leave, late)
            if left <= 0:
                self.leave(late)

    def began(self) -> None:
        """The engine is at it."""
        self._began = time.monotonic()

    def leave(self, why: str) -> None:
        """It is not wanted any more."""
        if not self.stop.done():
            self.stop.set_result(why)

    def gone(self) -> None:
        """The server has given it away."""
        self.is_gone = True
        self.leave("the horde has given it to somebody else, or wants it no more")

    def stepped(self, step: int, steps: int, shown: Shown | None) -> None:
        """The engine has done a step."""
        self.step, self.steps = step, steps
        self.news.set()
        if shown is not None:
            self.shown = shown

    def look(self) -> None:
        """Somebody looks on."""
        if self._batch.shown and not self.show.done():
            self.show.set_result(None)

    def expect(self, step: int, steps: int) -> float:
        """Give how many seconds the rest will take; a batch that is much too slow is left.

        It may be called again while a step goes on; before the first is done, nobody knows.
        """
        now = time.monotonic()
        if step < 1:
            return math.inf
        if step != self._reached[0]:
            self._reached = (step, now)
        began = now if self._began is None else self._began
        since = self._reached[1]
        rest = max(0.0, (since - began) / step * (steps - step) - (now - since))
        if self._batch.ttl is not None:
            used = now - self._batch.popped
            left = self._batch.ttl - used
            if used > HOPELESS_SHARE * self._batch.ttl and rest > HOPELESS * left:
                ready = used + rest
                self.leave(f"it would take {ready:.0f} seconds, of {self._batch.ttl:g} that it had")
        return rest

    def close(self) -> None:
        """Nobody asks any more."""
        if self._timer is not None:
            self._timer.cancel()
