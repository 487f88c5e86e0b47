import asyncio

import pytest

from core.generation import waiters as module
from core.generation.waiters import Waiters
from core.queue.matching import Needs, Offer

A, B = frozenset("a"), frozenset("b")
FOR_A, FOR_B = Needs(models=A), Needs(models=B)


@pytest.fixture
def waiters():
    return Waiters()


def woken(*line):
    return [waiter.woken.is_set() for waiter in line]


def test_who_came_first_is_woken_first(waiters):
    offer = Offer(models=A)
    with (
        waiters.in_line(offer, calls=0) as first,
        waiters.in_line(offer, calls=0) as second,
        waiters.in_line(offer, calls=0) as third,
    ):
        waiters.wake(FOR_A, 2)
        assert woken(first, second, third) == [True, True, False]
        waiters.wake(FOR_A, 1)
        assert woken(first, second, third) == [True, True, True]


def test_who_cannot_serve_it_is_left_alone(waiters):
    with (
        waiters.in_line(Offer(models=B), calls=0) as other,
        waiters.in_line(Offer(models=A), calls=0) as able,
    ):
        waiters.wake(FOR_A, 1)
        assert woken(other, able) == [False, True]


def test_where_needs_are_not_known_all_are_woken(waiters):
    """The first in line may be the one who cannot serve it."""
    with (
        waiters.in_line(Offer(models=B), calls=0) as first,
        waiters.in_line(Offer(models=A), calls=0) as second,
    ):
        waiters.wake(None, 1)
        assert woken(first, second) == [True, True]


def test_a_call_while_looking_is_not_missed(waiters):
    before = waiters.calls
    waiters.wake(FOR_A, 1)  # between the look and the line
    with waiters.in_line(Offer(models=A), calls=before) as waiter:
        assert woken(waiter) == [True]
    with waiters.in_line(Offer(models=A), calls=waiters.calls) as waiter:
        assert woken(waiter) == [False]


def test_who_left_is_not_woken(waiters):
    with waiters.in_line(Offer(models=A), calls=0) as gone:
        pass
    with waiters.in_line(Offer(models=A), calls=0) as there:
        waiters.wake(FOR_A, 1)
        assert woken(gone, there) == [False, True]


async def test_a_waiter_returns_when_woken(waiters):
    with waiters.in_line(Offer(models=A), calls=0) as waiter:
        waiting = asyncio.create_task(waiter.wait(30))
        await asyncio.sleep(0)
        assert not waiting.done()
        waiters.wake(FOR_A, 1)
        async with asyncio.timeout(1):
            await waiting
        assert woken(waiter) == [False]  # and may be woken again


@pytest.mark.parametrize("seconds", [0.0, 0.01])
async def test_a_waiter_returns_when_its_time_is_up(waiters, seconds):
    with waiters.in_line(Offer(), calls=0) as waiter:
        async with asyncio.timeout(1):
            await waiter.wait(seconds)


async def test_a_waiter_looks_again_by_itself(waiters, monkeypatch):
    monkeypatch.setattr(module, "LOOK_AGAIN_SECONDS", 0.01)
    with waiters.in_line(Offer(), calls=0) as waiter:
        async with asyncio.timeout(1):
            await waiter.wait(30)
