"""Rate limits: the contract's windows and headers, in memory and in Redis."""

import asyncio
import math
import signal
import time

import pytest
from redis import asyncio as aioredis

from core.api import limits, redis_windows, windows
from core.api.limits import Limit, Limiter, LimitVerdict
from core.api.windows import MemoryCounters

HOUR = Limit(5, 3600)


class Clock:
    """Seconds that pass when told to."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def in_memory(clock):
    return Limiter(MemoryCounters(clock))


@pytest.fixture(params=["memory", "redis"])
async def limiter(request):
    url = "" if request.param == "memory" else request.getfixturevalue("redis_url")
    limiter = limits.connect(redis_url=url)
    yield limiter
    await limiter.close()


async def test_the_call_after_the_last_allowed_one_is_refused(limiter):
    for left in (4, 3, 2, 1, 0):
        verdict = await limiter.hit([("a", HOUR)])
        assert (verdict.allowed, verdict.remaining) == (True, left)
    verdict = await limiter.hit([("a", HOUR)])
    assert (verdict.allowed, verdict.remaining, verdict.message) == (False, 0, "5 per 1 hour")


async def test_the_headers_say_how_the_limit_stands(limiter):
    verdict = await limiter.hit([("a", HOUR)])
    headers = {name: int(value) for name, value in verdict.headers().items()}
    assert headers["X-RateLimit-Limit"] == 5
    assert headers["X-RateLimit-Remaining"] == 4
    assert headers["X-RateLimit-Reset"] == pytest.approx(time.time() + 3600, abs=2)
    assert headers["Retry-After"] == pytest.approx(3600, abs=1)


async def test_keys_and_limits_are_counted_apart(limiter):
    other = Limit(5, 60)
    for _ in range(5):
        assert (await limiter.hit([("a", HOUR)])).allowed
    assert not (await limiter.hit([("a", HOUR)])).allowed
    assert (await limiter.hit([("b", HOUR)])).allowed
    assert (await limiter.hit([("a", other)])).allowed


async def test_all_of_a_calls_limits_must_have_room(limiter):
    wide, narrow = Limit(9, 3600), Limit(2, 3600)
    both = [("address", wide), ("key", narrow)]
    assert (await limiter.hit(both)).limit == narrow
    assert (await limiter.hit(both)).allowed
    refused = await limiter.hit(both)
    assert (refused.allowed, refused.limit) == (False, narrow)


async def test_a_refused_call_is_counted_nowhere(limiter):
    wide, narrow = Limit(9, 3600), Limit(2, 3600)
    for _ in range(20):
        await limiter.hit([("address", wide), ("key", narrow)])
    assert (await limiter.hit([("address", wide)])).remaining == 9 - 2 - 1


async def test_of_several_that_are_used_up_the_last_to_end_is_told(limiter):
    short, long = Limit(1, 60), Limit(1, 3600)
    for order in ([("a", short), ("a", long)], [("b", long), ("b", short)]):
        assert (await limiter.hit(order)).limit == long
        assert (await limiter.hit(order)).limit == long


async def test_a_window_ends(limiter):
    second = [("a", Limit(2, 1))]
    assert [(await limiter.hit(second)).allowed for _ in range(3)] == [True, True, False]
    verdict = await limiter.hit(second)
    assert (verdict.retry_after, verdict.reset) == (1, pytest.approx(time.time() + 0.5, abs=1.5))
    await asyncio.sleep(1.01)  # Redis ends a window by its own clock
    assert [(await limiter.hit(second)).allowed for _ in range(3)] == [True, True, False]


async def test_a_window_begins_with_its_first_call_and_not_later(in_memory, clock):
    minute = [("a", Limit(2, 60))]
    assert (await in_memory.hit(minute)).allowed
    clock.now += 59.9
    assert (await in_memory.hit(minute)).allowed
    refused = await in_memory.hit(minute)
    assert (refused.allowed, refused.retry_after) == (False, 1)
    clock.now += 0.1
    renewed = await in_memory.hit(minute)
    assert (renewed.allowed, renewed.remaining, renewed.retry_after) == (True, 1, 60)


async def test_calls_at_once_get_what_there_is_and_no_more(limiter):
    verdicts = await asyncio.gather(*(limiter.hit([("a", Limit(10, 3600))]) for _ in range(50)))
    assert sum(verdict.allowed for verdict in verdicts) == 10


async def test_processes_share_their_counts_in_redis(redis_url):
    one, other = limits.connect(redis_url=redis_url), limits.connect(redis_url=redis_url)
    for limiter in (one, other, one, other, one):
        assert (await limiter.hit([("a", HOUR)])).allowed
    assert not (await other.hit([("a", HOUR)])).allowed
    await one.close()
    await other.close()


async def test_redis_forgets_windows_that_ended(redis_url):
    limiter = limits.connect(redis_url=redis_url)
    await limiter.hit([("a", Limit(2, 1)), ("b", HOUR)])
    await limiter.close()
    async with aioredis.Redis.from_url(redis_url) as redis:
        keys = [key async for key in redis.scan_iter()]
        assert len(keys) == 2
        assert sorted([math.ceil(await redis.pttl(key) / 1000) for key in keys]) == [1, 3600]


async def test_memory_forgets_windows_that_ended(in_memory, clock):
    for number in range(1000):
        await in_memory.hit([(f"{number}", Limit(2, 1)), (f"{number}", Limit(90, 60))])
        clock.now += 0.1
    tables = in_memory._counters._windows
    assert len(tables[1]) <= 11
    assert len(tables[60]) <= 601
    clock.now += 60
    await in_memory.hit([("last", Limit(2, 1)), ("last", Limit(90, 60))])
    assert [len(table) for table in tables.values()] == [1, 1]


async def test_memory_has_a_bound(in_memory, monkeypatch):
    monkeypatch.setattr(windows, "MAX_WINDOWS", 100)
    for number in range(1000):
        await in_memory.hit([(f"{number}", HOUR), (f"{number}", Limit(9, 60))])
    await in_memory.hit([("one of few", Limit(1, 1))])
    tables = in_memory._counters._windows
    assert sum(map(len, tables.values())) <= 102
    assert len(tables[1]) == 1  # the oldest of the longest table go


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(redis_windows, "REDIS_SECONDS", 0.2)
    monkeypatch.setattr(redis_windows, "REDIS_AWAY_SECONDS", 0.0)


async def test_without_redis_calls_are_counted_here(mortal_valkey, impatient):
    limiter = limits.connect(redis_url=mortal_valkey.url)
    assert [(await limiter.hit([("a", HOUR)])).allowed for _ in range(4)] == [True] * 4
    await asyncio.to_thread(mortal_valkey.kill)
    verdicts = [await limiter.hit([("a", HOUR)]) for _ in range(6)]
    assert [verdict.allowed for verdict in verdicts] == [True] * 5 + [False]
    await asyncio.to_thread(mortal_valkey.start)
    assert (await limiter.hit([("a", HOUR)])).remaining == 4  # Redis again, and it is empty
    await limiter.close()


async def test_a_redis_that_was_started_anew_is_used_at_once(mortal_valkey):
    limiter = limits.connect(redis_url=mortal_valkey.url)
    await limiter.hit([("a", HOUR)])
    await asyncio.to_thread(mortal_valkey.kill)
    await asyncio.to_thread(mortal_valkey.start)
    await limiter.hit([("a", HOUR)])
    await limiter.close()
    async with aioredis.Redis.from_url(mortal_valkey.url) as redis:
        assert await redis.dbsize() == 1


async def test_a_redis_that_does_not_answer_holds_up_a_call_once(mortal_valkey, monkeypatch):
    monkeypatch.setattr(redis_windows, "REDIS_SECONDS", 0.2)
    limiter = limits.connect(redis_url=mortal_valkey.url)
    await limiter.hit([("a", HOUR)])
    mortal_valkey.signal(signal.SIGSTOP)
    begin = time.monotonic()
    verdicts = [await limiter.hit([("b", HOUR)]) for _ in range(6)]
    assert time.monotonic() - begin < 2
    assert [verdict.allowed for verdict in verdicts] == [True] * 5 + [False]
    mortal_valkey.signal(signal.SIGCONT)
    await limiter.close()


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (Limit(2, 1), "2 per 1 second"),
        (Limit(90, 60), "90 per 1 minute"),
        (Limit(10, 60), "10 per 1 minute"),
        (Limit(20, 3600), "20 per 1 hour"),
        (Limit(1, 86400), "1 per 1 day"),
        (Limit(3, 120), "3 per 2 minute"),
        (Limit(3, 90), "3 per 90 second"),
    ],
)
def test_a_limit_in_words(limit, words):
    assert str(limit) == words
    assert LimitVerdict(False, limit, 0, 0, 1).message == words


GENERATE = {"address": "192.0.2.1", "method": "POST", "path": "/v2/x", "api_key": "k" * 22}


def counted(**changes):
    return limits.for_generate(**{**GENERATE, **changes})


def test_generate_has_two_limits_by_address_and_one_by_key():
    assert [str(limit) for _, limit in counted()] == [
        "90 per 1 minute",
        "2 per 1 second",
        "2 per 1 second",
    ]
    assert [str(limit) for _, limit in counted(relaxed=True)] == [
        "300 per 1 minute",
        "10 per 1 second",
        "60 per 1 second",
    ]
    assert [str(limit) for _, limit in counted(anonymous=True)] == [
        "90 per 1 minute",
        "2 per 1 second",
        "60 per 1 second",
    ]


def keys(counted):
    return [key for key, _ in counted]


def test_generate_is_counted_by_address_key_method_and_path():
    plain = keys(counted())
    assert keys(counted()) == plain
    by_minute, by_second, by_key = keys(counted(address="192.0.2.2"))
    assert [by_minute != plain[0], by_second != plain[1], by_key == plain[2]] == [True] * 3
    by_minute, by_second, by_key = keys(counted(api_key="0" * 10))
    assert [by_minute == plain[0], by_second == plain[1], by_key != plain[2]] == [True] * 3
    assert not set(plain) & set(keys(counted(path="/v2/y")))
    assert not set(plain) & set(keys(counted(method="GET")))


def test_no_api_key_is_among_the_counts():
    assert not any("k" * 22 in key for key in keys(counted()))


@pytest.mark.parametrize("api_key", ["", "é", "\udcff", "x" * 10_000])
def test_any_header_can_be_counted(api_key):
    assert all(len(key) < 200 for key in keys(counted(api_key=api_key)))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("", "", True),
        ("<local>", "192.0.2.1", False),
    ],
)
def test_an_ipv6_network_is_one_caller(one, other, same):
    found = [limits.for_address(address=address, resource="/v2/x") for address in (one, other)]
    assert (found[0] == found[1]) is same


def test_the_default_limit():
    ((_, limit),) = limits.for_address(address="192.0.2.1", resource="/v2/x")
    assert str(limit) == "90 per 1 minute"


def test_limits_by_path_may_be_several():
    found = limits.for_path(
        Limit(20, 3600), Limit(2, 1), address="192.0.2.1", method="PUT", path="/v2/x/1"
    )
    assert [str(limit) for _, limit in found] == ["20 per 1 hour", "2 per 1 second"]


async def test_generates_limits_work_together(in_memory, clock):
    allowed = 0
    for _ in range(60):
        allowed += (await in_memory.hit(counted())).allowed
        clock.now += 1 / 3
    assert allowed == 40  # two a second
    for _ in range(400):
        allowed += (await in_memory.hit(counted(api_key=f"{allowed}"))).allowed
        clock.now += 0.09  # within the minute, from ever other keys
    assert allowed == 90
    assert math.isclose(clock.now, 1056, abs_tol=1)
