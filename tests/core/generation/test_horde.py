"""What wakes waiting pops: messages of the bus, whatever they look like."""

import asyncio
import contextlib

import pytest

from core.events import LocalBus
from core.events.local import QUEUE_LENGTH
from core.generation.horde import JOBS, Horde
from core.queue.lanes import Lanes
from core.queue.matching import Needs, Offer

A = frozenset("a")


class KnownLanes(Lanes):
    """Lanes that are read from nowhere."""

    def __init__(self):
        super().__init__(2000)
        self.least = {1: Needs(models=A)}

    def least_needs(self):
        return self.least


@pytest.fixture
def horde():
    return Horde(settings=None, store=None, bus=LocalBus(), lanes=KnownLanes())


@contextlib.asynccontextmanager
async def listening(horde, learn=None):
    async def nothing_new():
        pass

    task = asyncio.create_task(horde.listen(learn or nothing_new))
    await asyncio.sleep(0)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def woken(waiter):
    async with asyncio.timeout(10):
        await waiter.woken.wait()


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"lane": 1},
        {"lane": "1", "count": 1},
        {"lane": [], "count": 1},
        {"lane": 1, "count": None},
        {"lane": 1, "count": "many"},
        {"lane": 1, "count": float("inf")},
        {"lane": True, "count": True},
        {"lane": -(10**30), "count": -1},
        None,
        7,
        "text",
        [1, 2],
    ],
)
async def test_a_strange_message_ends_no_listening(horde, message):
    with horde.waiters.in_line(Offer(models=A), calls=0) as waiter:
        async with listening(horde) as task:
            await horde.bus.publish(JOBS, message)
            await asyncio.sleep(0.01)
            waiter.woken.clear()
            await horde.bus.publish(JOBS, {"lane": 1, "count": 1})
            await woken(waiter)
            assert not task.done()


async def test_a_new_lane_is_learned_before_anybody_is_called(horde):
    async def learn():
        horde.lanes.least = {2: Needs(models=frozenset("b"))}

    with (
        horde.waiters.in_line(Offer(models=A), calls=0) as unable,
        horde.waiters.in_line(Offer(models=frozenset("b")), calls=0) as able,
    ):
        async with listening(horde, learn):
            await horde.bus.publish(JOBS, {"lane": 2, "count": 2})
            await woken(able)
            assert not unable.woken.is_set()


async def test_where_lanes_cannot_be_read_somebody_is_called_all_the_same(horde):
    async def learn():
        raise ConnectionError("the database has gone")

    with horde.waiters.in_line(Offer(models=A), calls=0) as waiter:
        async with listening(horde, learn) as task:
            await horde.bus.publish(JOBS, {"lane": 2, "count": 1})
            await woken(waiter)
            assert not task.done()


async def test_where_messages_were_dropped_everybody_looks(horde):
    with (
        horde.waiters.in_line(Offer(models=frozenset("b")), calls=0) as other,
        horde.waiters.in_line(Offer(models=A), calls=0) as able,
    ):
        async with listening(horde):
            for _ in range(QUEUE_LENGTH + 1):
                await horde.bus.publish(JOBS, {"lane": 1, "count": 1})
            await woken(other)
            await woken(able)
