"""Answers kept for a moment: what many ask again and again is looked up once."""

import time
from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")

MOST = 10_000


class Recent(Generic[T]):
    """Values by key, each for `seconds`; at most MOST of them. For public answers only."""

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
        """Keep the value from now on; returns it."""
        self._kept.pop(key, None)
        self._kept[key] = (time.monotonic() + self._seconds, value)
        if len(self._kept) > MOST:
            self._kept.popitem(last=False)
        return value
