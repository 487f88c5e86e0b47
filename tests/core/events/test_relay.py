"""Events between processes: real carriers, which break and come back."""

import asyncio
import contextlib
import signal
import time

import asyncpg
import pytest
from redis import asyncio as aioredis
from sqlalchemy.engine import make_url

from core.events import PostgresBus, RedisBus, relay

SECONDS = 20


@pytest.fixture(params=["redis", "postgres"])
def make(request):
    """Makes buses of one carrier, as so many processes would."""
    if request.param == "redis":
        url = request.getfixturevalue("redis_url")
        return lambda: RedisBus(url)
    url = request.getfixturevalue("postgres_url")
    return lambda: PostgresBus(url)


@pytest.fixture
def soon(monkeypatch):
    """A start waits for its link no longer than a moment."""
    monkeypatch.setattr(relay, "START_SECONDS", 0.1)


@contextlib.asynccontextmanager
async def started(*buses):
    try:
        for bus in buses:
            await bus.start()
        yield buses
    finally:
        for bus in buses:
            await bus.close()


@contextlib.asynccontextmanager
async def closing(connection):
    try:
        yield
    finally:
        await connection.close()


async def following(messages):
    async with asyncio.timeout(SECONDS):
        return await anext(messages)


async def until(condition):
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


async def test_other_processes_hear_it_in_order(make):
    sent = [
        {"n": number, "what": "erledigt ✓", "more": {"list": [1, None]}} for number in range(90)
    ]
    async with (
        started(make(), make(), make()) as (here, there, elsewhere),
        there.subscribe("jobs") as first,
        elsewhere.subscribe("jobs") as second,
    ):
        for message in sent:
            await here.publish("jobs", message)
        assert [await following(first) for _ in sent] == sent
        assert [await following(second) for _ in sent] == sent


async def test_it_is_quick(make):
    async with started(make(), make()) as (here, there), there.subscribe("jobs") as messages:
        delays = []
        for _ in range(20):
            begin = time.perf_counter()
            await here.publish("jobs", {})
            await following(messages)
            delays.append(time.perf_counter() - begin)
        assert sorted(delays)[10] < 0.05


async def test_a_burst_arrives_where_it_is_read(make):
    async with started(make(), make()) as (here, there), there.subscribe("jobs") as messages:
        numbers = []

        async def read():
            while len(numbers) < 900:
                numbers.append((await following(messages))["n"])

        reading = asyncio.create_task(read())
        for number in range(900):
            await here.publish("jobs", {"n": number})
            if number % 50 == 0:
                await asyncio.sleep(0.005)
        await reading
        assert numbers == list(range(900))


async def test_a_message_too_long_for_the_carrier_stays_here(make):
    async with (
        started(make(), make()) as (here, there),
        here.subscribe("jobs") as near,
        there.subscribe("jobs") as far,
    ):
        await here.publish("jobs", {"what": "x" * relay.MAX_MESSAGE_BYTES})
        await here.publish("jobs", {"what": "x" * (relay.MAX_MESSAGE_BYTES - 50)})
        assert len((await following(near))["what"]) == relay.MAX_MESSAGE_BYTES
        assert len((await following(far))["what"]) == relay.MAX_MESSAGE_BYTES - 50


async def heard_again(here, there, messages):
    """Wait for both to be linked, then send once."""
    for bus in (here, there):
        async with asyncio.timeout(SECONDS):
            await bus._linked.wait()
    await here.publish("jobs", {"n": "after"})
    return await following(messages) == {"n": "after"}


async def still_works_here(bus):
    async with bus.subscribe("jobs") as near:
        await bus.publish("jobs", {"n": "here"})
        return await following(near) == {"n": "here"}


async def test_redis_may_go_and_come_back(mortal_valkey):
    async with (
        started(RedisBus(mortal_valkey.url), RedisBus(mortal_valkey.url)) as (here, there),
        there.subscribe("jobs") as messages,
    ):
        await asyncio.to_thread(mortal_valkey.kill)
        await until(lambda: not here._linked.is_set() and not there._linked.is_set())
        assert await still_works_here(here)
        await asyncio.to_thread(mortal_valkey.start)
        assert await heard_again(here, there, messages)


async def test_a_redis_that_no_longer_answers_is_noticed(mortal_valkey):
    buses = [RedisBus(mortal_valkey.url, heartbeat_seconds=0.1) for _ in range(2)]
    async with started(*buses) as (here, there), there.subscribe("jobs") as messages:
        mortal_valkey.signal(signal.SIGSTOP)
        await until(lambda: not here._linked.is_set() and not there._linked.is_set())
        assert await still_works_here(here)
        mortal_valkey.signal(signal.SIGCONT)
        assert await heard_again(here, there, messages)


async def test_a_link_that_sends_but_no_longer_hears_is_dialled_again(soon):
    dialled = 0

    class Deaf:
        async def send(self, texts):
            pass

        async def receive(self):
            await asyncio.Event().wait()

    @contextlib.asynccontextmanager
    async def dial():
        nonlocal dialled
        dialled += 1
        yield Deaf()

    bus = relay.RelayBus(dial, heartbeat_seconds=0.01)
    async with started(bus):
        await until(lambda: dialled >= 3)


@pytest.mark.parametrize("error", [asyncio.CancelledError(), ConnectionError(), None])
async def test_a_link_of_which_a_part_ends_is_dialled_again(soon, error):
    """Whatever a driver raises: what receives must not be gone while the rest goes on."""
    dialled = 0

    class Broken:
        async def send(self, texts):
            await asyncio.Event().wait()

        async def receive(self):
            if error is not None:
                raise error
            await asyncio.Event().wait()

    @contextlib.asynccontextmanager
    async def dial():
        nonlocal dialled
        dialled += 1
        yield Broken()

    bus = relay.RelayBus(dial, heartbeat_seconds=0.1)
    async with started(bus):
        await until(lambda: dialled >= 3)


async def test_redis_may_be_away_at_the_start(mortal_valkey, soon):
    await asyncio.to_thread(mortal_valkey.kill)
    async with (
        started(RedisBus(mortal_valkey.url), RedisBus(mortal_valkey.url)) as (here, there),
        there.subscribe("jobs") as messages,
    ):
        assert await still_works_here(here)
        await asyncio.to_thread(mortal_valkey.start)
        assert await heard_again(here, there, messages)


async def test_postgres_may_go_and_come_back(postgres_url):
    url = make_url(postgres_url)
    admin = url.set(drivername="postgresql", database="postgres")
    server = await asyncpg.connect(admin.render_as_string(hide_password=False))
    async with (
        closing(server),
        started(PostgresBus(postgres_url), PostgresBus(postgres_url)) as (here, there),
        there.subscribe("jobs") as messages,
    ):
        await server.execute(f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS false")
        ended = await server.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE application_name = 'horde events' AND datname = $1",
            url.database,
        )
        assert ended == 2
        await until(lambda: not here._linked.is_set() and not there._linked.is_set())
        assert await still_works_here(here)
        await server.execute(f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS true")
        assert await heard_again(here, there, messages)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "[]",
        "{}",
        "7",
        '["a"]',
        '["a", "jobs"]',
        '["a", "jobs", null]',
        '["a", "jobs", 7]',
        '["a", ["jobs"], {}]',
        "[" * 100_000,
        "\udcff",
    ],
)
async def test_what_strangers_send_is_passed_over(redis_url, text):
    channel = f"{relay.CHANNEL}:{redis_url.partition('db=')[2]}"
    async with (
        started(RedisBus(redis_url), RedisBus(redis_url)) as (here, there),
        there.subscribe("jobs") as messages,
        aioredis.Redis.from_url(redis_url) as stranger,
    ):
        assert await stranger.publish(channel, text.encode(errors="surrogateescape")) == 2
        await here.publish("jobs", {"n": 1})
        assert await following(messages) == {"n": 1}


async def test_hordes_in_two_databases_of_a_redis_do_not_hear_each_other(mortal_valkey):
    one, other = (RedisBus(f"{mortal_valkey.url}?db={number}") for number in (1, 2))
    async with (
        started(one, other),
        one.subscribe("jobs") as mine,
        other.subscribe("jobs") as theirs,
    ):
        await one.publish("jobs", {"n": 1})
        await other.publish("jobs", {"n": 2})
        assert await following(mine) == {"n": 1}
        assert await following(theirs) == {"n": 2}
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await anext(mine)


async def test_closing_one_that_never_started_or_twice_does_no_harm(make):
    bus = make()
    await bus.close()
    async with started(make()) as (bus,):
        await bus.close()
