"""Delivery between processes over one connection that may break at any time.

A message is delivered in this process at once, and sent to the others over a `Link`. While there is
no link, only the others miss it. The link carries a heartbeat, which must come back to its sender,
so a silently dead connection is noticed, whichever direction died.
"""

import asyncio
import json
import random
import secrets
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, Final, Protocol

import structlog

from core import supervise
from core.events.local import Message, Subscribers, Subscription

CHANNEL: Final = "horde_events"
"""The carrier's single channel; the channels of this package travel inside it."""
MAX_MESSAGE_BYTES: Final = 7900
"""PostgreSQL takes payloads below 8000 bytes; this holds for all, so that all behave alike."""
START_SECONDS: Final = 5.0
FIRST_PAUSE_SECONDS: Final = 0.1
MAX_PAUSE_SECONDS: Final = 5.0
CANCEL_SECONDS: Final = 0.2
OUTGOING_LENGTH: Final = 1000
BATCH: Final = 100

log = structlog.get_logger(__name__)


class Link(Protocol):
    """A connection that carries texts between processes; any error means that it is broken."""

    async def send(self, texts: Sequence[str]) -> None:
        """Send each text to every process, this one included."""

    async def receive(self) -> str:
        """The next text that any process sent."""


class RelayBus:
    """Events between processes.

    dial: opens a link.
    heartbeat_seconds: a link is dropped when nothing has arrived for three times as long.
    """

    def __init__(
        self, dial: Callable[[], AbstractAsyncContextManager[Link]], *, heartbeat_seconds: float = 5
    ) -> None:
        self._dial = dial
        self._heartbeat_seconds = heartbeat_seconds
        self._origin = secrets.token_hex(8)
        self._subscribers = Subscribers()
        self._outgoing: asyncio.Queue[str] = asyncio.Queue(OUTGOING_LENGTH)
        self._linked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def alone(self) -> bool:
        """Never: other processes may be there, whether linked or not."""
        return False

    @property
    def linked(self) -> bool:
        """Whether messages of other processes arrive here at present, as far as known."""
        return self._linked.is_set()

    async def start(self) -> None:
        """Open the link; if that takes too long, go on without it and keep trying."""
        self._task = asyncio.create_task(supervise.keep("events", self._keep_linked), name="events")
        with suppress(TimeoutError):
            await asyncio.wait_for(self._linked.wait(), START_SECONDS)

    async def publish(self, channel: str, message: Message) -> None:
        """Deliver the message here and have it sent to the other processes.

        Never waits and never fails: the other processes miss what can't be sent.
        """
        self._subscribers.deliver(channel, message)
        if self._linked.is_set():
            text = json.dumps([self._origin, channel, message], separators=(",", ":"))
            if len(text) <= MAX_MESSAGE_BYTES:  # dumps writes ASCII: a character is a byte
                self._enqueue(text)
            else:
                log.error("events.message_too_long", channel=channel, size=len(text))

    def subscribe(self, channel: str) -> Subscription:
        """The channel's messages from now on."""
        return Subscription(self._subscribers, channel)

    async def close(self) -> None:
        """End all subscriptions and close the link."""
        self._subscribers.close()
        while self._task is not None and not self._task.done():
            self._task.cancel()  # again, if the connection's own code swallowed it
            await asyncio.wait([self._task], timeout=CANCEL_SECONDS)

    def _enqueue(self, text: str) -> None:
        if self._outgoing.full():
            self._outgoing.get_nowait()
        self._outgoing.put_nowait(text)

    async def _keep_linked(self) -> None:
        pause, silent = FIRST_PAUSE_SECONDS, False
        while True:
            try:
                await self._exchange()
            except Exception as error:  # noqa: BLE001 - top of a loop: whatever broke, dial again
                if not silent:
                    log.warning("events.link_lost", reasons=_reasons(error))
                silent = True
            if self._linked.is_set():
                self._linked.clear()
                pause, silent = FIRST_PAUSE_SECONDS, False
            # Not all processes dial at the same moment.
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - no secret
            pause = min(pause * 2, MAX_PAUSE_SECONDS)

    async def _exchange(self) -> None:
        """Send and receive over one link until it breaks, which raises."""
        async with self._dial() as link:
            self._outgoing = asyncio.Queue(OUTGOING_LENGTH)  # what waited is out of date
            async with asyncio.TaskGroup() as tasks:
                for part in (self._beat(), self._send(link), self._receive(link)):
                    tasks.create_task(_for_good(part))

    async def _beat(self) -> None:
        while True:
            self._enqueue(json.dumps([self._origin]))
            await asyncio.sleep(self._heartbeat_seconds)

    async def _send(self, link: Link) -> None:
        while not _is_cancelled():
            batch = [await self._outgoing.get()]
            while len(batch) < BATCH and not self._outgoing.empty():
                batch.append(self._outgoing.get_nowait())
            async with asyncio.timeout(3 * self._heartbeat_seconds):
                await link.send(batch)

    async def _receive(self, link: Link) -> None:
        while not _is_cancelled():
            async with asyncio.timeout(3 * self._heartbeat_seconds):
                text = await link.receive()
            try:
                origin, *event = json.loads(text)
                if origin != self._origin and event:
                    channel, message = event
                    self._subscribers.deliver(channel, message)
                    await asyncio.sleep(0)  # a burst must not fill queues before anybody reads them
            except (TypeError, ValueError, RecursionError):
                log.warning("events.unreadable", size=len(text))
                continue
            if origin == self._origin and not self._linked.is_set():
                self._linked.set()
                log.info("events.linked")


async def _for_good(part: Coroutine[Any, Any, None]) -> None:
    """A task of a link; one that ends by itself breaks the link, as the others would be deaf."""
    try:
        await part
    except asyncio.CancelledError as error:
        if _is_cancelled():
            raise
        raise ConnectionError("a part of the link was cancelled") from error
    if not _is_cancelled():
        raise ConnectionError("a part of the link has ended")


def _is_cancelled() -> bool:
    """Whether this task was cancelled, even if `wait_for` swallowed that (before Python 3.12)."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _reasons(error: Exception) -> list[str]:
    errors = error.exceptions if isinstance(error, ExceptionGroup) else [error]
    return [repr(one) for one in errors]
