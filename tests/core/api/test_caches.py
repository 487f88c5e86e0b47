"""What is kept for a moment: cheap answers never, dear ones the longer the dearer they are."""

import asyncio

import pytest

from core.api import caches
from core.api.caches import AdaptiveCache, TtlCache


class Clock:
    """A clock that the test moves."""

    now = 1000.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(caches, "time", clock)
    return clock


@pytest.fixture
def maker(clock):
    """Makes another value each time, and takes `seconds` for it."""

    def taking(seconds):
        made = []

        async def make():
            clock.now += seconds
            made.append(len(made) + 1)
            return made[-1]

        return make

    return taking


async def test_what_is_cheap_is_made_each_time(maker):
    costly, make = AdaptiveCache(), maker(0.05)
    assert [await costly.get("list", make) for _ in range(3)] == [1, 2, 3]


async def test_what_is_dear_is_kept_for_20_times_as_long(clock, maker):
    costly, make = AdaptiveCache(), maker(0.5)
    assert await costly.get("list", make) == 1
    clock.now += 9.9
    assert await costly.get("list", make) == 1
    assert await costly.get("another", maker(0.5)) == 1
    clock.now += 0.2
    assert await costly.get("list", make) == 2


async def test_but_for_30_seconds_at_most(clock, maker):
    costly, make = AdaptiveCache(), maker(10)
    assert await costly.get("list", make) == 1
    clock.now += 30.1
    assert await costly.get("list", make) == 2


async def test_one_makes_it_and_the_others_wait(clock):
    costly, made = AdaptiveCache(), []

    async def make():
        made.append(1)
        clock.now += 1
        await asyncio.sleep(0)
        return len(made)

    assert await asyncio.gather(*(costly.get("list", make) for _ in range(5))) == [1] * 5


async def test_a_failure_is_not_kept(clock, maker):
    costly = AdaptiveCache()

    async def fail():
        clock.now += 1
        raise OSError("away")

    with pytest.raises(OSError, match="away"):
        await costly.get("list", fail)
    assert await costly.get("list", maker(1)) == 1


def test_recent_answers_are_forgotten(clock):
    kept = TtlCache(10.0)
    kept.put("a", 1)
    assert kept.get("a") == 1
    clock.now += 10.1
    assert kept.get("a") is None
