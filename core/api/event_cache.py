"""Events of pictures that were just made, kept for all who watch the same request."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable

KEPT_SECONDS, MAX_KEPT_BYTES = 30.0, 16 * 1024 * 1024
"""How long a picture's event is kept for other watchers, and how much of them for each hub."""

Make = Callable[[], Awaitable[bytes]]


class EventCache:
    """Events of pictures that were just made; large ones, so not many and not for long."""

    def __init__(self) -> None:
        self._making = asyncio.Lock()
        self._kept: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._size = 0

    async def get(self, picture_id: str, make: Make) -> bytes:
        """Give a picture's event, made once."""
        async with self._making:
            self._forget(time.monotonic() - KEPT_SECONDS, MAX_KEPT_BYTES)
            if picture_id in self._kept:
                return self._kept[picture_id][1]
            made = await make()
            self._forget(float("-inf"), MAX_KEPT_BYTES - len(made))
            if len(made) <= MAX_KEPT_BYTES:
                self._kept[picture_id] = (time.monotonic(), made)
                self._size += len(made)
            return made

    def _forget(self, since: float, room: int) -> None:
        while self._kept:
            made_at, oldest = next(iter(self._kept.values()))
            if made_at >= since and self._size <= room:
                return
            self._kept.popitem(last=False)
            self._size -= len(oldest)
