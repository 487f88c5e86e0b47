"""What every bus does for the subscribers of its own process."""

import asyncio

import pytest

from core import events
from core.events import local


@pytest.fixture(params=["local", "redis", "postgres"])
async def bus(request):
    match request.param:
        case "local":
            bus = events.connect(redis_url="", database_url="sqlite+aiosqlite:///horde.sqlite")
        case "redis":
            bus = events.connect(
                redis_url=request.getfixturevalue("redis_url"), database_url="postgresql+asyncpg://"
            )
        case "postgres":
            url = request.getfixturevalue("postgres_url")
            bus = events.connect(redis_url="", database_url=url)
    await bus.start()
    yield bus
    await bus.close()


async def following(messages):
    async with asyncio.timeout(5):
        return await anext(messages)


async def is_silent(messages):
    """Whether nothing waits, and nothing comes for as long as an echo would take."""
    try:
        async with asyncio.timeout(0.2):
            await anext(messages)
    except TimeoutError:
        return True
    return False


@pytest.mark.parametrize("bus", ["local", "redis", "postgres"], indirect=True)
async def test_the_settings_choose_the_bus(bus, request):
    kinds = {"local": events.LocalBus, "redis": events.RedisBus, "postgres": events.PostgresBus}
    assert type(bus) is kinds[request.node.callspec.params["bus"]]


async def test_every_subscriber_of_the_channel_is_told_once(bus):
    async with (
        bus.subscribe("jobs") as first,
        bus.subscribe("jobs") as second,
        bus.subscribe("request:1") as other,
    ):
        await bus.publish("jobs", {"lane": 7, "count": 2, "kind": "image"})
        await bus.publish("request:1", {"what": "done"})
        for subscriber in (first, second):
            assert await following(subscriber) == {"lane": 7, "count": 2, "kind": "image"}
            assert await is_silent(subscriber)
        assert await following(other) == {"what": "done"}
        assert await is_silent(other)


async def test_a_message_before_or_after_the_block_is_not_for_it(bus):
    await bus.publish("jobs", {"n": 1})
    async with bus.subscribe("jobs") as messages:
        await bus.publish("jobs", {"n": 2})
    await bus.publish("jobs", {"n": 3})
    assert await following(messages) == {"n": 2}
    assert await is_silent(messages)


async def test_waiting_in_vain_loses_nothing(bus):
    async with bus.subscribe("jobs") as messages:
        assert await is_silent(messages)
        await bus.publish("jobs", {"n": 1})
        assert await following(messages) == {"n": 1}


async def test_a_slow_subscriber_keeps_the_newest_and_holds_up_nobody(bus):
    count = 3 * local.QUEUE_LENGTH
    async with bus.subscribe("jobs") as slow, bus.subscribe("jobs") as quick:
        for number in range(count):
            await bus.publish("jobs", {"n": number})
            assert await following(quick) == {"n": number}
        kept = [(await following(slow))["n"] for _ in range(local.QUEUE_LENGTH)]
        assert kept == list(range(count - local.QUEUE_LENGTH, count))
        assert await is_silent(slow)


async def test_nothing_is_kept_of_subscribers_that_left(bus):
    for number in range(100):
        async with bus.subscribe(f"request:{number}"):
            pass
    assert bus._subscribers._by_channel == {}


async def test_closing_ends_every_subscription(bus):
    async with bus.subscribe("jobs") as waiting, bus.subscribe("jobs") as full:

        async def wait():
            return [message async for message in waiting]

        task = asyncio.create_task(wait())
        for number in range(2 * local.QUEUE_LENGTH):
            await bus.publish("jobs", {"n": number})
            await asyncio.sleep(0)
        await bus.close()
        async with asyncio.timeout(5):
            assert len(await task) == 2 * local.QUEUE_LENGTH
            assert len([message async for message in full]) == local.QUEUE_LENGTH - 1
            assert [message async for message in full] == []
    async with asyncio.timeout(5), bus.subscribe("jobs") as late:
        assert [message async for message in late] == []
