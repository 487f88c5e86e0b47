"""Delivery to the subscribers in this process."""

import asyncio
from types import TracebackType
from typing import Any, Final, Self

import structlog

QUEUE_LENGTH: Final = 100
"""Messages that are kept for a subscriber that does not read them."""

_log = structlog.get_logger(__name__)

Message = dict[str, Any]
"""Small JSON; subscribers share it, so nobody may change it."""


class Subscription:
    """The messages of one channel, beginning when the block is entered: `async with … as messages`.

    At most QUEUE_LENGTH wait here; beyond that the oldest are dropped. Waiting for the next one can
    be cancelled (a timeout, say) without losing any. Ends when the bus is closed.
    """

    def __init__(self, subscribers: "Subscribers", channel: str) -> None:
        self._subscribers = subscribers
        self._channel = channel
        self._queue: asyncio.Queue[Message | None] = asyncio.Queue(QUEUE_LENGTH)
        self.dropped = 0
        """How many messages were dropped because nobody read them in time."""

    async def __aenter__(self) -> Self:
        self._subscribers.add(self._channel, self)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._subscribers.remove(self._channel, self)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        message = await self._queue.get()
        if message is None:
            self.give(None)  # for further calls
            raise StopAsyncIteration
        return message

    def taken(self) -> list[Message]:
        """Take all that waits here, for a look that sees everything they announced."""
        waited = []
        while not self._queue.empty():
            message = self._queue.get_nowait()
            if message is None:
                self.give(None)
                break
            waited.append(message)
        return waited

    def give(self, message: Message | None) -> None:
        """Queue a message; None ends the iteration."""
        if self._queue.full():
            self._queue.get_nowait()
            self.dropped += 1
        self._queue.put_nowait(message)


class Subscribers:
    """The subscriptions of this process, by channel."""

    def __init__(self) -> None:
        # The inner one is a set that keeps the order: first come, first served.
        self._by_channel: dict[str, dict[Subscription, None]] = {}
        self._closed = False

    def add(self, channel: str, subscription: Subscription) -> None:
        """Deliver the channel's messages to this subscription from now on."""
        if self._closed:
            subscription.give(None)
        else:
            self._by_channel.setdefault(channel, {})[subscription] = None

    def remove(self, channel: str, subscription: Subscription) -> None:
        """Stop delivering to it."""
        there = self._by_channel.get(channel, {})
        there.pop(subscription, None)
        if not there:
            self._by_channel.pop(channel, None)

    def deliver(self, channel: object, message: object) -> None:
        """Queue the message for everybody who listens to the channel.

        Subscribers get only messages, whatever else may travel between processes.
        """
        if not isinstance(channel, str) or not isinstance(message, dict):
            _log.warning("not a message", shape=type(message).__name__)
            return
        for subscription in self._by_channel.get(channel, ()):
            subscription.give(message)

    def close(self) -> None:
        """End all subscriptions, future ones too."""
        self._closed = True
        for subscriptions in self._by_channel.values():
            for subscription in subscriptions:
                subscription.give(None)


class LocalBus:
    """Events within one process."""

    linked = True
    alone = True

    def __init__(self) -> None:
        self._subscribers = Subscribers()

    async def start(self) -> None:
        """Nothing to do."""

    async def publish(self, channel: str, message: Message) -> None:
        """Deliver the message to all current subscribers."""
        self._subscribers.deliver(channel, message)

    def subscribe(self, channel: str) -> Subscription:
        """The channel's messages from now on."""
        return Subscription(self._subscribers, channel)

    async def close(self) -> None:
        """End all subscriptions."""
        self._subscribers.close()
