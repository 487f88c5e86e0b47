"""What a hub spares the database and its watchers: looks, pictures made twice, old news."""

import asyncio
import contextlib
from uuid import uuid4

import pytest
import structlog

from core.api import event_cache
from core.api import hubs as module
from core.api.hubs import Hubs, View
from core.api.streams import Streams, TooManyStreams
from core.errors import NotFound, Unavailable
from core.events import LocalBus
from core.generation.horde import channel_of
from core.wire import events

ID = uuid4()


class Looked:
    """Looks that show what a test says; they fail where it says so."""

    def __init__(self):
        self.count = 0
        self.status = b"waiting"
        self.pictures = {}
        self.end = None
        self.error = None

    async def __call__(self, request_id, before):
        self.count += 1
        if self.error is not None:
            raise self.error
        return View(self.status, dict(self.pictures), self.end)


@pytest.fixture
def looked():
    return Looked()


@pytest.fixture
def bus():
    return LocalBus()


@pytest.fixture
async def hubs(bus, looked, monkeypatch):
    monkeypatch.setattr(module, "APART_SECONDS", 0.0)
    hubs = Hubs(bus, looked)
    yield hubs
    hubs.close()
    await asyncio.sleep(0)


@pytest.fixture
def streams(hubs):
    return Streams(hubs, most=5, most_of_address=2)


async def happens(bus):
    await bus.publish(channel_of(ID), {"what": "something"})


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)


async def following(stream):
    async with asyncio.timeout(10):
        return await anext(stream)


async def rest_of(stream):
    async with asyncio.timeout(10):
        return [text async for text in stream]


@contextlib.asynccontextmanager
async def opened(streams, count, address="here"):
    """So many streams, each of which has said the first thing."""
    async with contextlib.AsyncExitStack() as stack:
        line = []
        for _ in range(count):
            stream = streams.events(ID, address, relaxed=True)
            line.append(await stack.enter_async_context(contextlib.aclosing(stream)))
            assert await following(stream) == b"waiting"
        yield line


async def test_one_look_serves_all_watchers(streams, bus, looked):
    streams._most = 100
    async with opened(streams, 20) as line:
        assert looked.count == 1
        looked.status = b"processing"
        await happens(bus)
        assert [await following(stream) for stream in line] == [b"processing"] * 20
        assert looked.count == 2


async def test_where_nothing_happens_looks_become_rare(hubs, looked, monkeypatch):
    """Three in the first minute, then one a minute; something new makes them frequent again."""
    pauses, timeout = [], asyncio.timeout

    def at_once(seconds):
        pauses.append(seconds)
        if len(pauses) == 6:
            looked.status = b"another position"
        return timeout(0 if len(pauses) < 8 else None)

    monkeypatch.setattr(module, "JITTER", 0)
    monkeypatch.setattr(module.asyncio, "timeout", at_once)
    with hubs.watching(ID):
        while len(pauses) < 8:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)
    assert pauses == [10, 20, 40, 60, 60, 60, 10, 20]


async def test_where_events_may_be_missed_looks_are_frequent(hubs, bus, monkeypatch):
    monkeypatch.setattr(module, "JITTER", 0)
    with hubs.watching(ID) as watcher:
        assert watcher.hub._until_next(60.0) == 60.0
        monkeypatch.setattr(bus, "linked", False)
        assert watcher.hub._until_next(60.0) == 2.0


async def test_a_look_that_fails_ends_no_stream(streams, bus, looked):
    async with opened(streams, 1) as (stream,):
        looked.error = ConnectionError("the database has gone")
        with structlog.testing.capture_logs() as log:
            await happens(bus)
            await until(lambda: looked.count == 2)
            await asyncio.sleep(0)
        assert [entry["event"] for entry in log] == ["look failed"]
        looked.error, looked.status = None, b"processing"
        await happens(bus)
        assert await following(stream) == b"processing"


async def test_what_cannot_be_looked_at_is_told_who_asks_and_looked_at_later(hubs, looked):
    looked.error = ConnectionError("the database has gone")
    with structlog.testing.capture_logs(), pytest.raises(ConnectionError):
        await hubs.look(ID)


async def test_a_request_that_is_gone_leaves_no_hub(hubs, looked):
    looked.error = NotFound("no such request")
    for _ in range(3):
        with pytest.raises(NotFound):
            await hubs.look(ID)
    assert hubs._hubs == {}


async def test_who_reads_slowly_is_told_the_newest_alone(streams, bus, looked):
    async with opened(streams, 1) as (stream,):
        for number in range(2, 6):
            looked.status = b"position %d" % number
            await happens(bus)
            await until(lambda number=number: looked.count == number)
        assert await following(stream) == b"position 5"


async def test_a_picture_is_made_once_for_all_and_once_told_to_each(streams, bus, looked):
    made = []

    async def make():
        made.append(1)
        await asyncio.sleep(0)
        return b"a picture"

    async with opened(streams, 2) as line:
        looked.pictures["a"] = make
        looked.status, looked.end = b"done", b"the end"
        await happens(bus)
        told = await asyncio.gather(*(rest_of(stream) for stream in line))
    assert told == [[b"a picture", b"done", b"the end"]] * 2
    assert made == [1]


async def test_few_pictures_are_kept_and_others_are_made_again(monkeypatch):
    monkeypatch.setattr(event_cache, "MAX_KEPT_BYTES", 10)
    kept, made = event_cache.EventCache(), []

    def maker(name, size):
        async def make():
            made.append(name)
            return b"x" * size

        return make

    for name, size in [("a", 6), ("a", 6), ("b", 4), ("a", 6), ("c", 5), ("a", 6), ("d", 11)]:
        assert len(await kept.get(name, maker(name, size))) == size
    assert made == ["a", "b", "c", "a", "d"]
    assert kept._size <= 10


async def test_a_stream_ends_when_the_server_stops(streams, bus):
    async with opened(streams, 2) as line:
        streams.hubs.close()
        assert [await rest_of(stream) for stream in line] == [[events.COME_AGAIN]] * 2
    assert await rest_of(streams.events(ID, "here")) == [events.COME_AGAIN]
    with pytest.raises(Unavailable):
        await streams.hubs.look(ID)
    with pytest.raises(Unavailable):
        await streams.hubs.until_over(ID)


async def test_a_stream_ends_with_its_bus(streams, bus):
    async with opened(streams, 1) as (stream,):
        await bus.close()
        assert await rest_of(stream) == [events.COME_AGAIN]


async def test_an_old_stream_asks_to_connect_again(streams, monkeypatch):
    monkeypatch.setattr("core.api.streams.STREAM_SECONDS", 0.0)
    assert await rest_of(streams.events(ID, "here")) == [events.COME_AGAIN]


async def test_the_end_that_comes_while_something_is_read_is_told(streams, bus, looked):
    async with opened(streams, 1) as (stream,):
        looked.status = b"processing"
        await happens(bus)
        assert await following(stream) == b"processing"
        looked.status, looked.end = b"done", b"the end"
        await happens(bus)
        await until(lambda: looked.count == 3)
        assert await rest_of(stream) == [b"done", b"the end"]


async def test_so_many_streams_are_open_and_no_more(streams):
    with contextlib.ExitStack() as stack:
        for address in ("here", "here", "there"):
            stack.enter_context(streams.place(address))
        with pytest.raises(TooManyStreams, match="2"):
            streams.check("here")
        streams.check("here", relaxed=True)  # the address of a service
        for address in ("there", "elsewhere"):
            stack.enter_context(streams.place(address))
        with pytest.raises(TooManyStreams, match="many"):
            streams.check("a fourth", relaxed=True)
    streams.check("here")
    assert streams._open == 0
    assert not streams._of_address


async def test_of_streams_begun_at_the_same_moment_some_are_turned_away(streams):
    async with contextlib.AsyncExitStack() as stack:
        line = []
        for _ in range(3):
            stream = streams.events(ID, "here")
            line.append(await stack.enter_async_context(contextlib.aclosing(stream)))
        said = [await following(stream) for stream in line]
    assert said == [b"waiting", b"waiting", events.COME_AGAIN]


async def test_a_hub_waits_a_moment_for_who_has_looked_then_ends(hubs, bus, monkeypatch):
    monkeypatch.setattr(module, "LINGER_SECONDS", 0.01)
    await hubs.look(ID)
    assert ID in hubs._hubs
    await until(lambda: not hubs._hubs)
    await until(lambda: not bus._subscribers._by_channel)


async def test_waiting_for_the_end_ends_with_it(hubs, bus, looked):
    waiting = asyncio.create_task(hubs.until_over(ID))
    await until(lambda: looked.count == 1)
    looked.end = b"the end"
    await happens(bus)
    async with asyncio.timeout(10):
        await waiting
    looked.error = NotFound("gone")
    async with asyncio.timeout(10):
        await hubs.until_over(ID)
