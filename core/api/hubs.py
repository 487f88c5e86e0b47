"""One look at a request for everybody who watches it.

A hub follows one request: it listens to its events, looks at it, and keeps what it saw as a view.
Watchers read the view at their own pace, so a slow one skips outdated views and nothing piles up
for it. A hub ends with its last watcher.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from core.api.event_cache import EventCache, Make
from core.api.glimpses import Glimpses
from core.errors import NotFound, Unavailable
from core.events import Bus
from core.events.local import Subscription
from core.generation.horde import channel_of

LOOK_AGAIN_SECONDS = 10.0
"""Position and waiting time change without an event, and an event can be missed."""
LOOK_AGAIN_UNLINKED_SECONDS = 2.0
"""The same while events of other processes do not arrive."""
MAX_LOOK_AGAIN_SECONDS = 60.0
"""While nothing changes, each pause is twice as long as the one before, up to this."""
JITTER = 0.2
"""The share by which the pauses of different hubs vary."""
FRESH_SECONDS = 1.0
"""A new watcher may get a view that is this old."""
APART_SECONDS = 0.1
"""Events that follow each other this closely share one look."""
LINGER_SECONDS = 5.0
"""How long a hub waits for callers who have looked and are about to watch."""
TOLD_AT_ONCE, TOLD_PAUSE_SECONDS = 50, 0.005
"""A crowd of watchers is woken in parts, so that other callers have their turn."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class View:
    """The state of a request at one moment, as it is sent to watchers."""

    status: bytes
    pictures: Mapping[str, Make] = field(default_factory=dict)
    """In order, by id: functions that make each picture's event."""
    end: bytes | None = None
    """The last event, once nothing more will happen."""
    at_work: frozenset[int] = frozenset()
    """The jobs that workers are at, by index."""

    def tells_more_than(self, other: "View | None") -> bool:
        """Whether it contains something that the other does not."""
        if other is None or self.status != other.status:
            return True
        return self.pictures.keys() != other.pictures.keys() or self.end != other.end


Look = Callable[[UUID, View | None], Awaitable[View]]
"""Looks at a request, given the view before. Raises NotFound if it does not exist (any more)."""


class Watcher:
    """Somebody who watches a hub's request."""

    def __init__(self, hub: "Hub") -> None:
        self.hub = hub
        self.woken = asyncio.Event()

    async def news(self, seconds: float) -> bool:
        """Wait for news, at most so many seconds. Returns whether there may be some."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.woken.wait()
        found = self.woken.is_set()
        self.woken.clear()
        return found


class Hub:
    """Follows one request while somebody watches it."""

    def __init__(self, bus: Bus, request_id: UUID, look: Look) -> None:
        self.request_id = request_id
        self.view: View | None = None
        self.over = False
        """Whether it has looked for the last time."""
        self.saw_the_end = False
        """Whether nothing more will happen to the request, which may also be gone."""
        self.watchers: dict[Watcher, None] = {}
        self.looking = 0
        self.about_to_watch: deque[asyncio.TimerHandle] = deque()
        """Timers of callers who have looked, after which they are no longer expected."""
        self._bus = bus
        self._look = look
        self._messages: Subscription | None = None
        self._error: Exception | None = None
        self._begun, self._ended = 0, 0
        self._began_at = float("-inf")
        self._looked = asyncio.Event()
        self._kept = EventCache()
        self._glimpses = Glimpses()
        self._task = asyncio.create_task(self._run(), name=f"hub of {request_id}")

    async def fresh(self) -> View:
        """A view of this moment, or nearly. Raises NotFound, or the reason why there is none."""
        wanted = self._begun
        if time.monotonic() - self._began_at > FRESH_SECONDS:
            wanted += 1
            if self._messages is not None:
                self._messages.give({"what": "watched"})
        while self._ended < wanted and not self.over:
            await self._looked.wait()
        if self.view is None:
            raise self._error or Unavailable("The server is about to stop. Please try again.")
        return self.view

    async def picture(self, view: View, picture_id: str) -> bytes:
        """The event of one of the view's pictures, made once for all watchers."""
        return await self._kept.get(picture_id, view.pictures[picture_id])

    @property
    def glimpses(self) -> Mapping[int, bytes]:
        """The last event about how far each job is, for those that are at work."""
        return self._glimpses.events

    def end(self) -> None:
        """Stop looking, and wake the watchers."""
        self.over = True
        self._task.cancel()

    async def _run(self) -> None:
        """Look whenever something happened, until the request is over."""
        try:
            async with self._bus.subscribe(channel_of(self.request_id)) as self._messages:
                await self._follow(self._messages)
        except Exception:  # noqa: BLE001 - the task's top: watchers connect again
            _log.exception("hub failed")
        finally:
            self.over = True
            self._looked.set()
            for watcher in self.watchers:
                watcher.woken.set()

    async def _follow(self, messages: Subscription) -> None:
        pause = LOOK_AGAIN_SECONDS
        while True:
            before = self.view
            await self._look_once()
            if self.view is not None:
                self._glimpses.keep_only(self.view.at_work)
            if self.view is not None and self.view.tells_more_than(before):
                pause = LOOK_AGAIN_SECONDS
                await self._tell()
            if self.over:
                return
            try:
                async with asyncio.timeout(self._until_next(pause)):
                    while self._glimpses.take(await anext(messages)):
                        await self._tell()
            except StopAsyncIteration:
                return
            except TimeoutError:
                pause = max(pause, min(2 * pause, MAX_LOOK_AGAIN_SECONDS))
                continue
            pause = LOOK_AGAIN_SECONDS
            await asyncio.sleep(max(0, self._began_at + APART_SECONDS - time.monotonic()))
            for message in messages.taken():  # whoever looks now sees all that they tell of
                self._glimpses.take(message)

    async def _look_once(self) -> None:
        """Take a new view. If that fails, the last one stays until the next look."""
        self._begun += 1
        self._began_at = time.monotonic()
        try:
            self.view, self._error = await self._look(self.request_id, self.view), None
            self.saw_the_end = self.view.end is not None
        except NotFound as gone:
            self._error, self.saw_the_end = gone, True
        except Exception as failure:  # noqa: BLE001 - the loop's top: the next look tries again
            _log.exception("look failed")
            self._error = failure
        self.over = self.over or self.saw_the_end
        self._ended = self._begun
        self._looked.set()
        self._looked = asyncio.Event()

    def _until_next(self, pause: float) -> float:
        usual = pause if self._bus.linked else min(pause, LOOK_AGAIN_UNLINKED_SECONDS)
        return usual * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - no secret

    async def _tell(self) -> None:
        for number, watcher in enumerate(list(self.watchers), start=1):
            watcher.woken.set()
            if number % TOLD_AT_ONCE == 0:
                await asyncio.sleep(TOLD_PAUSE_SECONDS)


class Hubs:
    """The hubs of this process, by request.

    look: the function that looks at a request.
    """

    def __init__(self, bus: Bus, look: Look) -> None:
        self._bus = bus
        self._look = look
        self._hubs: dict[UUID, Hub] = {}
        self.closed = False
        """Whether the server is stopping: nobody watches any more."""

    async def look(self, request_id: UUID) -> View:
        """A view of the request. Its hub lives on for a moment, for callers who go on to watch."""
        hub = self._hub(request_id)
        hub.looking += 1
        try:
            return await hub.fresh()
        finally:
            hub.looking -= 1
            if hub.over:
                self._end_if_left(hub)
            else:
                loop = asyncio.get_running_loop()
                hub.about_to_watch.append(loop.call_later(LINGER_SECONDS, self._let_go, hub))

    @contextmanager
    def watching(self, request_id: UUID) -> Iterator[Watcher]:
        """Watch the request; the watcher's hub may have ended already."""
        hub = self._hub(request_id)
        if hub.about_to_watch:
            hub.about_to_watch.popleft().cancel()
        watcher = Watcher(hub)
        hub.watchers[watcher] = None
        try:
            yield watcher
        finally:
            del hub.watchers[watcher]
            self._end_if_left(hub)

    async def until_over(self, request_id: UUID) -> None:
        """Wait until nothing more will happen to the request, or it is gone.

        Raises Unavailable if the server stops before that.
        """
        with self.watching(request_id) as watcher:
            hub = watcher.hub
            while not hub.over:
                await watcher.woken.wait()
                watcher.woken.clear()
            if not hub.saw_the_end:
                raise Unavailable("The server is about to stop. Please try again.")

    def may_be_watched(self, request_id: UUID) -> bool:
        """Whether somebody watches the request, or may do so by another process."""
        return request_id in self._hubs or not self._bus.alone

    def close(self) -> None:
        """End all hubs, future ones too."""
        self.closed = True
        for hub in list(self._hubs.values()):
            hub.end()

    def _hub(self, request_id: UUID) -> Hub:
        hub = self._hubs.get(request_id)
        if hub is None or hub.over:
            hub = self._hubs[request_id] = Hub(self._bus, request_id, self._look)
            if self.closed:
                hub.end()
        return hub

    def _let_go(self, hub: Hub) -> None:
        hub.about_to_watch.popleft()
        self._end_if_left(hub)

    def _end_if_left(self, hub: Hub) -> None:
        if not (hub.watchers or hub.looking or hub.about_to_watch):
            hub.end()
            if self._hubs.get(hub.request_id) is hub:
                del self._hubs[hub.request_id]
