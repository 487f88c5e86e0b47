"""Publishing and subscribing: the `Bus`, its three kinds, and which one the settings mean."""

from functools import partial
from typing import Protocol

from core.events.local import LocalBus, Message, Subscription
from core.events.relay import RelayBus

__all__ = ["Bus", "LocalBus", "Message", "PostgresBus", "RedisBus", "Subscription", "connect"]


class Bus(Protocol):
    """Publish and subscribe by channel. A message is small and JSON; some may be missed."""

    @property
    def alone(self) -> bool:
        """Whether there are no other processes to be told."""

    @property
    def linked(self) -> bool:
        """Whether messages of other processes arrive here at present."""

    async def start(self) -> None:
        """Connect, if there is anything to connect to; call it once, in the server's own loop."""

    async def publish(self, channel: str, message: Message) -> None:
        """Tell everybody who is subscribed to the channel. Never waits, never fails."""

    def subscribe(self, channel: str) -> Subscription:
        """The channel's messages: `async with bus.subscribe(…) as messages`."""

    async def close(self) -> None:
        """End all subscriptions and disconnect."""


class RedisBus(RelayBus):
    """Events between processes by the Redis at `url`; without it, within this process."""

    def __init__(self, url: str, *, heartbeat_seconds: float = 5) -> None:
        from core.events import redis_link  # noqa: PLC0415 - 24 MB that most servers never need

        super().__init__(partial(redis_link.dial, url), heartbeat_seconds=heartbeat_seconds)


class PostgresBus(RelayBus):
    """Events between processes by the PostgreSQL at `url`."""

    def __init__(self, url: str, *, heartbeat_seconds: float = 5) -> None:
        from core.events import postgres_link  # noqa: PLC0415 - 4 MB

        super().__init__(partial(postgres_link.dial, url), heartbeat_seconds=heartbeat_seconds)


def connect(*, redis_url: str, database_url: str) -> Bus:
    """The bus for these settings: Redis if there is one, else PostgreSQL, else this process.

    The bus still has to be started.
    """
    if redis_url:
        return RedisBus(redis_url)
    if database_url.startswith("postgresql"):
        return PostgresBus(database_url)
    return LocalBus()
