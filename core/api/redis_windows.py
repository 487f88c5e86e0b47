"""Counts of calls in fixed windows in Redis, for several server processes."""

import time
from collections.abc import Sequence
from typing import Final

import structlog
from redis import asyncio as aioredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from core.api.windows import MemoryCounters, State, Window

REDIS_SECONDS: Final = 0.5
"""The longest time that a call waits for Redis."""
REDIS_CONNECTIONS: Final = 20
REDIS_AWAY_SECONDS: Final = 5.0
"""How long after a failure calls are counted here, before Redis is asked again."""
PREFIX: Final = "horde:limit:"

log = structlog.get_logger(__name__)

# KEYS: the windows. ARGV: each one's room and length in ms. Answers 1 or 0 (counted or not), then
# each one's calls and ms left.
_HIT: Final = """
local allowed, answer = 1, {}
for i, key in ipairs(KEYS) do
  if tonumber(redis.call('GET', key) or 0) >= tonumber(ARGV[2 * i - 1]) then allowed = 0 end
end
for i, key in ipairs(KEYS) do
  local used = tonumber(redis.call('GET', key) or 0)
  if allowed == 1 then
    used = redis.call('INCR', key)
    if used == 1 then redis.call('PEXPIRE', key, ARGV[2 * i]) end
  end
  local left = redis.call('PTTL', key)
  if left < 0 then left = ARGV[2 * i] end
  answer[2 * i - 1], answer[2 * i] = used, tonumber(left)
end
return {allowed, answer}
"""


class RedisCounters:
    """Counts in Redis; while it is away, in this process.

    url: `redis://…` or `unix://…`.
    """

    def __init__(self, url: str) -> None:
        pool = aioredis.BlockingConnectionPool.from_url(
            url,
            max_connections=REDIS_CONNECTIONS,
            timeout=REDIS_SECONDS,
            socket_timeout=REDIS_SECONDS,
            socket_connect_timeout=REDIS_SECONDS,
            retry=Retry(NoBackoff(), 0),  # after a failure it is left alone for a while, see below
        )
        self._redis = aioredis.Redis.from_pool(pool)
        self._script = self._redis.register_script(_HIT)
        self._here = MemoryCounters()
        self._away_until = 0.0

    async def hit(self, windows: Sequence[Window]) -> tuple[bool, list[State]]:
        """Count a call in all of the windows if each has room."""
        if time.monotonic() >= self._away_until:
            try:
                return await self._hit_redis(windows)
            except (RedisError, OSError) as error:
                self._away_until = time.monotonic() + REDIS_AWAY_SECONDS
                log.warning("limits.redis_away", reason=repr(error))
        return await self._here.hit(windows)

    async def close(self) -> None:
        """Disconnect."""
        await self._redis.aclose()

    async def _hit_redis(self, windows: Sequence[Window]) -> tuple[bool, list[State]]:
        keys = [PREFIX + window.key for window in windows]
        sizes = [size for window in windows for size in (window.room, window.seconds * 1000)]
        allowed, flat = await self._script(keys=keys, args=sizes)
        states = [State(flat[i], flat[i + 1] / 1000) for i in range(0, len(flat), 2)]
        return bool(allowed), states
