"""Pops that wait for work without holding a session: woken fairly, first come first served.

A job that comes in calls one waiter. If it is not certain that this one may serve the job, or if it
leaves, the call is passed on to the next, so that one job never wakes a crowd.
"""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from enum import Enum, auto

from core.queue import matching
from core.queue.matching import Needs, Offer

LOOK_AGAIN_SECONDS = 10.0
"""Even if events arrive, every waiter also looks again by itself: an event may be dropped."""
LOOK_AGAIN_UNLINKED_SECONDS = 2.0
"""The same while events of other processes do not arrive."""
JITTER = 0.2
"""The share of the time by which the looks of different waiters vary."""
MAX_PASSED = 16
"""How often a call is passed on; after that, the others look by themselves."""
MAX_THREADS = 50
"""The most waiting pops of one worker, whatever it declares."""
MAX_WAITING, MAX_WAITING_OF_ADDRESS = 10_000, 1_000


class Why(Enum):
    """Why a waiter should look for work."""

    CALLED = auto()
    """A job came in that it may serve: it should try to claim it."""
    HINTED = auto()
    """Something came in; a look must show whether it is for this waiter."""
    CLOCK = auto()
    """It has not looked for some time."""


@dataclass(frozen=True, slots=True)
class Call:
    """Work for one waiter. needs: None if the lane's needs are not known."""

    needs: Needs | None
    passed: int = 0

    def suits(self, offer: Offer) -> bool:
        """Whether the offer may serve it."""
        return self.needs is None or matching.accepts(self.needs, offer)

    def surely_suits(self, offer: Offer) -> bool:
        """Whether the offer may serve whatever the lane holds."""
        if self.needs is None or offer.blacklist:
            return False
        return matching.accepts(matching.most(self.needs), offer)


class Waiter:
    """One waiting pop. claims: whether it takes the job that wakes it; a decoy's does not."""

    def __init__(self, offer: Offer, *, number: int, claims: bool = True) -> None:
        self.offer = offer
        self.number = number
        self.claims = claims
        self.woken = asyncio.Event()
        self.call: Call | None = None
        """The call that came since it began to look."""
        self.taken: Call | None = None
        """The call that it is following at present."""
        self.tried: Mapping[int, int] = {}
        """The heads of the lanes in which it found nothing for itself."""

    async def wait(self, seconds: float, *, linked: bool = True) -> Why:
        """Return when woken, when it is time to look again, or after `seconds`.

        linked: whether the events of other processes arrive.
        """
        usual = LOOK_AGAIN_SECONDS if linked else LOOK_AGAIN_UNLINKED_SECONDS
        usual *= random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - no secret
        with suppress(TimeoutError):
            async with asyncio.timeout(min(seconds, usual)):
                await self.woken.wait()
        if not self.woken.is_set():
            return Why.CLOCK
        self.woken.clear()
        self.taken, self.call = self.call, None
        return Why.CALLED if self.taken is not None and not self.taken.passed else Why.HINTED

    def give(self, call: Call) -> None:
        """Call it."""
        self.call = call
        self.woken.set()


class Waiters:
    """The waiting pops of this process, in the order in which they came.

    most, most_of_address: how many may wait, in all and from one address.
    """

    def __init__(
        self, most: int = MAX_WAITING, most_of_address: int = MAX_WAITING_OF_ADDRESS
    ) -> None:
        self._most = most
        self._most_of_address = most_of_address
        self._line: dict[Waiter, None] = {}
        self._numbers = itertools.count()
        self._of_worker: Counter[str] = Counter()
        self._of_address: Counter[str] = Counter()
        self.calls = 0
        """How often jobs came in; a pop that saw another number before its look looks again."""
        self.closed = False
        """Whether waiting has ended because the server stops."""

    def has_room(self, worker_id: str, *, threads: int, address: str) -> bool:
        """Whether one more pop of this worker, with so many threads, may wait."""
        return (
            not self.closed
            and len(self._line) < self._most
            and self._of_address[address] < self._most_of_address
            and self._of_worker[worker_id] < min(max(threads, 1), MAX_THREADS)
        )

    @contextmanager
    def in_line(
        self, offer: Offer, *, calls: int, claims: bool = True, address: str = ""
    ) -> Iterator[Waiter]:
        """A place in the line. calls: `self.calls` from before the caller looked for work."""
        waiter = Waiter(offer, number=next(self._numbers), claims=claims)
        if calls != self.calls or self.closed:
            waiter.woken.set()
        self._line[waiter] = None
        self._of_worker[offer.worker_id] += 1
        self._of_address[address] += 1
        try:
            yield waiter
        finally:
            del self._line[waiter]
            _decrease(self._of_worker, offer.worker_id)
            _decrease(self._of_address, address)
            self._pass_on(waiter.taken, waiter)
            self._pass_on(waiter.call, waiter)

    def wake(self, needs: Needs | None, count: int) -> None:
        """Jobs came in: call as many waiters that may serve them.

        needs: the least that the lane's jobs need; None if that is not known.
        """
        self.calls += 1
        call = Call(needs)
        for waiter in self._line:
            if count <= 0:
                return
            if not waiter.woken.is_set() and call.suits(waiter.offer):
                waiter.give(call)
                count -= waiter.claims

    def hint(self) -> None:
        """Let everybody look: it is not known what came in."""
        self.calls += 1
        for waiter in self._line:
            waiter.woken.set()

    def looked(self, waiter: Waiter, *, settled: bool) -> None:
        """The waiter has looked; if that settled nothing, the next may be luckier.

        settled: whether it found work, or saw that there is none for any waiter like it.
        """
        taken, waiter.taken = waiter.taken, None
        if not settled and taken is not None and not taken.surely_suits(waiter.offer):
            self._pass_on(taken, waiter)

    def close(self) -> None:
        """End all waiting, now and from now on."""
        self.closed = True
        for waiter in self._line:
            waiter.woken.set()

    def _pass_on(self, call: Call | None, waiter: Waiter) -> None:
        """Call the next waiter behind this one that may serve it."""
        if call is None or call.passed >= MAX_PASSED or self.closed:
            return
        for other in self._line:
            is_behind = other.number > waiter.number
            if is_behind and not other.woken.is_set() and call.suits(other.offer):
                other.give(replace(call, passed=call.passed + 1))
                return


def _decrease(counter: Counter[str], key: str) -> None:
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]
