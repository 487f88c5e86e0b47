"""Carries events by Redis's publish and subscribe."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from redis import asyncio as aioredis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from core.events.relay import CHANNEL, Link

CONNECT_SECONDS = 5.0


class RedisLink:
    """One connection that listens and one that sends."""

    def __init__(self, redis: "aioredis.Redis", listener: PubSub, channel: str) -> None:
        self._redis = redis
        self._listener = listener
        self._channel = channel

    async def send(self, texts: Sequence[str]) -> None:
        """Publish each text, in one round trip."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            for text in texts:
                pipeline.publish(self._channel, text)
            await pipeline.execute()

    async def receive(self) -> str:
        """The next published text."""
        while True:
            message = await self._listener.get_message(ignore_subscribe_messages=True, timeout=None)
            if message is not None:
                return str(message["data"])


@asynccontextmanager
async def dial(url: str) -> AsyncIterator[Link]:
    """Connect to the Redis at `url` (`redis://…` or `unix://…`) and listen."""
    redis = aioredis.Redis.from_url(
        url,
        decode_responses=True,
        encoding_errors="replace",  # foreign messages must not break the link
        socket_connect_timeout=CONNECT_SECONDS,
        retry=Retry(NoBackoff(), 0),  # the link's owner dials again when it is broken
    )
    # Redis's channels are common to its databases; hordes that share a Redis are told apart here.
    channel = f"{CHANNEL}:{redis.connection_pool.connection_kwargs.get('db') or 0}"
    async with redis, redis.pubsub() as listener:
        await listener.subscribe(channel)
        yield RedisLink(redis, listener, channel)
