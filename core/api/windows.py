"""Counts of calls in fixed windows: in memory here, in Redis in `redis_windows`.

Both decide in one step: either all windows have room and each counts the call, or none does.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

MAX_WINDOWS: Final = 100_000
"""Open windows in memory, of all lengths together (25 MB). Beyond, the oldest are forgotten."""


class Window(NamedTuple):
    """Room for so many calls in `seconds`, beginning with the first call."""

    key: str
    room: int
    seconds: int


class State(NamedTuple):
    """The state of a window after a call."""

    used: int
    seconds_left: float


class Counters(Protocol):
    """Where calls are counted."""

    async def hit(self, windows: Sequence[Window]) -> tuple[bool, list[State]]:
        """Count a call in all windows if each has room. Returns whether, and all their states."""

    async def close(self) -> None:
        """Disconnect."""


class MemoryCounters:
    """Counts in this process.

    clock: seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # By length, so that each table's windows end in the order in which they began.
        self._windows: dict[int, OrderedDict[str, tuple[float, int]]] = {}

    async def hit(self, windows: Sequence[Window]) -> tuple[bool, list[State]]:
        """Count a call in all of the windows if each has room."""
        now = self._clock()
        found = [self._open(window, now) for window in windows]
        allowed = all(used < window.room for window, (_, used) in zip(windows, found, strict=True))
        if allowed:
            found = [(end, used + 1) for end, used in found]
            for window, state in zip(windows, found, strict=True):
                self._windows[window.seconds][window.key] = state
        return allowed, [State(used, end - now) for end, used in found]

    async def close(self) -> None:
        """Nothing to do."""

    def _open(self, window: Window, now: float) -> tuple[float, int]:
        """When the window ends and what it has counted; forgets those that have ended."""
        table = self._windows.setdefault(window.seconds, OrderedDict())
        while table and next(iter(table.values()))[0] <= now:
            table.popitem(last=False)
        while sum(map(len, self._windows.values())) > MAX_WINDOWS:
            max(self._windows.values(), key=len).popitem(last=False)
        return table.get(window.key, (now + window.seconds, 0))
