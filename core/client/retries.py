"""When to try again, and how long to wait first."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from itertools import count
from typing import Final, Self, TypeVar

from core.client.errors import HordeError, TooMany, Unreachable

T = TypeVar("T")

PASSING: Final = frozenset({408, 429, 502, 503, 504})
"""Statuses that say "not now" rather than "no"."""
STUMBLED: Final = PASSING | {500}
"""The same for results too costly to lose over a server's error, such as a finished picture."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Retries:
    """Exponential back-off with jitter, for calls that may be repeated without harm.

    attempts: the most calls, from 1.
    first_seconds: the longest pause after the first attempt; it doubles with each.
    longest_seconds: no pause is longer, unless the server asks for it.
    patience_seconds: if the server asks for a longer pause than this, the call fails instead.
    statuses: after these the call is made again.
    """

    attempts: int = 4
    first_seconds: float = 0.5
    longest_seconds: float = 10.0
    patience_seconds: float = 60.0
    statuses: frozenset[int] = PASSING

    def pause(self, attempt: int, error: HordeError) -> float | None:
        """How many seconds to wait after a failed attempt (from 1); None: do not try again."""
        if attempt >= self.attempts or not self.passing(error):
            return None
        asked = error.retry_after_seconds or 0.0
        if asked > self.patience_seconds:
            return None
        own = min(self.longest_seconds, self.first_seconds * 2.0 ** (attempt - 1))
        # Half of it is random, so that clients that failed together do not come back together.
        return max(asked, own * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load, keeps no secret

    def passing(self, error: HordeError) -> bool:
        """Whether the same call may succeed a little later."""
        return isinstance(error, Unreachable) or error.status in self.statuses

    def for_results(self) -> Self:
        """The same for delivering a result: it is also tried again after a server's error."""
        return replace(self, statuses=STUMBLED)

    def for_what_would_happen_twice(self) -> "Retries":
        """The same for what adds something: again only where a limit by time stopped the call."""
        return _OnlyLimited(
            self.attempts, self.first_seconds, self.longest_seconds, self.patience_seconds
        )

    async def run(self, call: Callable[[], Awaitable[T]]) -> T:
        """Make a call until it succeeds, fails for good or has failed too often.

        Raises the last attempt's HordeError.
        """
        for attempt in count(1):
            try:
                return await call()
            except HordeError as error:
                pause = self.pause(attempt, error)
                if pause is None:
                    raise
                log.debug("attempt %d: %s; again in %.1f s", attempt, type(error).__name__, pause)
            await asyncio.sleep(pause)
        raise AssertionError("count() does not end")


class _OnlyLimited(Retries):
    """A limit by time has no return code: nothing was done, and it passes by itself."""

    def passing(self, error: HordeError) -> bool:
        return isinstance(error, TooMany) and error.rc is None
