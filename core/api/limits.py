"""Rate limits: fixed windows, counted in this process or, for several processes, in Redis.

A window begins with the first call in it. A call is counted in all of its limits or, if one of them
is used up, in none: so a refused client does not use up its other limits. Windows are kept under
hashes: whatever a client sends, a window takes the same room and reveals nothing of it.

`for_generate`, `for_path` and `for_address` say what a call is counted under (the contract's GEN
and STYLE, PATH n, and IP n and DEF); `Limiter.hit` counts it.
"""

import hashlib
import ipaddress
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from core.api.windows import Counters, MemoryCounters, Window

_UNITS: Final = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` calls in `seconds`."""

    count: int
    seconds: int

    def __str__(self) -> str:
        length, unit = next(found for found in _UNITS if self.seconds % found[0] == 0)
        return f"{self.count} per {self.seconds // length} {unit}"


Counted = Sequence[tuple[str, Limit]]
"""One count of a call: a key, and the limit that applies to it."""

DEFAULT: Final = Limit(90, 60)
PER_MINUTE: Final = Limit(90, 60)
PER_SECOND: Final = Limit(2, 1)
RELAXED_PER_MINUTE: Final = Limit(300, 60)
RELAXED_PER_SECOND: Final = Limit(10, 1)
RELAXED_PER_KEY: Final = Limit(60, 1)


@dataclass(frozen=True, slots=True)
class LimitVerdict:
    """Whether a call may go on, and how its tightest limit stands."""

    allowed: bool
    limit: Limit
    remaining: int
    """Calls left in the window."""
    reset: int
    """When the window ends, in unix seconds."""
    retry_after: int
    """Seconds until then, at least 1."""

    @property
    def message(self) -> str:
        """The limit in words: "2 per 1 second"."""
        return str(self.limit)

    def headers(self) -> dict[str, str]:
        """Headers about the limit, for refused and accepted calls."""
        return {
            "X-RateLimit-Limit": str(self.limit.count),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset),
            "Retry-After": str(self.retry_after),
        }


class Limiter:
    """Counts calls and decides which to refuse."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters

    async def hit(self, keys_and_limits: Counted) -> LimitVerdict:
        """Count a call under each key, unless one of the limits is used up.

        keys_and_limits: at least one. The verdict is about the limit with the fewest calls left; of
            several, about the one whose window ends last, so that a client that waits for it may
            continue.
        """
        windows = [
            Window(_hash(f"{limit.count} {limit.seconds} {key}"), limit.count, limit.seconds)
            for key, limit in keys_and_limits
        ]
        allowed, states = await self._counters.hit(windows)
        limit, state = min(
            zip((limit for _, limit in keys_and_limits), states, strict=True),
            key=lambda pair: (pair[0].count - pair[1].used, -pair[1].seconds_left),
        )
        return LimitVerdict(
            allowed=allowed,
            limit=limit,
            remaining=limit.count - state.used,
            reset=math.ceil(time.time() + state.seconds_left),
            retry_after=max(1, math.ceil(state.seconds_left)),
        )

    async def close(self) -> None:
        """Disconnect from where the counts are kept."""
        await self._counters.close()


def connect(*, redis_url: str) -> Limiter:
    """The limiter that counts in the Redis at `redis_url`, or in this process if that is empty."""
    if not redis_url:
        return Limiter(MemoryCounters())
    from core.api.redis_windows import RedisCounters  # noqa: PLC0415 - 24 MB for those who need it

    return Limiter(RedisCounters(redis_url))


def for_generate(
    *,
    address: str,
    method: str,
    path: str,
    api_key: str,
    relaxed: bool = False,
    anonymous: bool = False,
) -> Counted:
    """GEN: by address twice, and by API key.

    relaxed: for the addresses of services, which many people share.
    anonymous: whether it is the anonymous key, which everybody shares.
    """
    per_key = RELAXED_PER_KEY if relaxed or anonymous else PER_SECOND
    by_address = for_style(address=address, method=method, path=path, relaxed=relaxed)
    return [*by_address, (f"{_hash(api_key)} {method} {path}", per_key)]


def for_style(*, address: str, method: str, path: str, relaxed: bool = False) -> Counted:
    """STYLE: GEN's limits by address."""
    if relaxed:
        return for_path(
            RELAXED_PER_MINUTE, RELAXED_PER_SECOND, address=address, method=method, path=path
        )
    return for_path(PER_MINUTE, PER_SECOND, address=address, method=method, path=path)


def for_path(*limits: Limit, address: str, method: str, path: str) -> Counted:
    """PATH n: by address, method and path with its parameters."""
    return [(f"{network(address)} {method} {path}", limit) for limit in limits]


def for_user(*limits: Limit, user_id: int, path: str) -> Counted:
    """By user and path, whatever address, key or session the user calls with."""
    return [(f"user {user_id} {path}", limit) for limit in limits]


def for_address(*limits: Limit, address: str, resource: str) -> Counted:
    """IP n: by address and resource, all its methods together. Without limits: DEF."""
    return [(f"{network(address)} {resource}", limit) for limit in limits or (DEFAULT,)]


def network(address: str) -> str:
    """The caller behind an address: an IPv6 host has 2**64 of them, so its network counts.

    Text that is not an IP address (a Unix socket's peer has none) stands for itself.
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))


def _hash(text: str) -> str:
    """A hash of what was sent, as others may read the names of counts."""
    return hashlib.blake2b(text.encode(errors="surrogateescape"), digest_size=16).hexdigest()
