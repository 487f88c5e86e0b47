"""Answers kept for a moment: common questions are looked up once."""

import asyncio
import time
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")

MAX_VALUES = 10_000
MAX_SECONDS = 30.0
CHEAP_SECONDS = 0.05
COST_FACTOR = 20
"""An answer is kept this many times as long as it took to make: at most 5 % of the time."""


class TtlCache(Generic[T]):
    """Values by key, each for `seconds`; at most MAX_VALUES of them. For public answers only."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._kept: OrderedDict[str, tuple[float, T]] = OrderedDict()

    def get(self, key: str) -> T | None:
        """The value, if it is recent enough."""
        found = self._kept.get(key)
        if found is None or found[0] < time.monotonic():
            return None
        return found[1]

    def put(self, key: str, value: T) -> T:
        """Keep the value from now on, and return it."""
        self._kept.pop(key, None)
        self._kept[key] = (time.monotonic() + self._seconds, value)
        if len(self._kept) > MAX_VALUES:
            self._kept.popitem(last=False)
        return value


class AdaptiveCache(Generic[T]):
    """Answers that may be costly to make: the costlier one is, the longer it is kept.

    Answers made within CHEAP_SECONDS are made again each time, so that small hordes see everything
    at once; others are kept COST_FACTOR times as long as they took, at most MAX_SECONDS. For
    public answers only, with few different keys: none is ever dropped.
    """

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, T]] = {}
        self._making: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def get(self, key: str, make: Callable[[], Awaitable[T]]) -> T:
        """The value; one caller makes it while others wait for it."""
        async with self._making[key]:
            start = time.monotonic()
            if key in self._kept and start < self._kept[key][0]:
                return self._kept[key][1]
            value = await make()
            took = time.monotonic() - start
            life = min(MAX_SECONDS, COST_FACTOR * took) if took > CHEAP_SECONDS else 0.0
            self._kept[key] = (start + took + life, value)
            return value
