import asyncio
import contextlib
from dataclasses import replace

import pytest

from core.generation import waiters as module
from core.generation.waiters import Waiters, Why
from core.queue import matching
from core.queue.matching import Needs, Offer

A, B = frozenset("a"), frozenset("b")
FOR_A, FOR_B = Needs(models=A), Needs(models=B)


@pytest.fixture
def waiters():
    return Waiters()


def woken(*line):
    return [waiter.woken.is_set() for waiter in line]


def look(waiters, waiter, *, found):
    """What a woken waiter does."""
    waiter.woken.clear()
    waiter.taken, waiter.call = waiter.call, None
    waiters.looked(waiter, settled=found)


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


def test_where_needs_are_not_known_all_are_called_in_turn(waiters):
    """The first in line may be the one who cannot serve it."""
    with (
        waiters.in_line(Offer(models=B), calls=0) as first,
        waiters.in_line(Offer(models=A), calls=0) as second,
    ):
        waiters.wake(None, 1)
        assert woken(first, second) == [True, False]
        look(waiters, first, found=False)
        assert woken(second) == [True]


def test_who_may_not_fit_after_all_passes_the_call_on(waiters):
    picky, needs = Offer(models=A, blacklist=frozenset({"fox"})), replace(FOR_A, pixels=500)
    small, able = Offer(models=A, pixels=500), Offer(models=A)  # the lane's jobs have up to 512
    with (
        waiters.in_line(picky, calls=0) as first,
        waiters.in_line(Offer(models=B), calls=0) as unable,
        waiters.in_line(small, calls=0) as second,
        waiters.in_line(able, calls=0) as third,
        waiters.in_line(able, calls=0) as fourth,
    ):
        waiters.wake(matching.least(needs), 1)
        line = (first, unable, second, third, fourth)
        assert woken(*line) == [True, False, False, False, False]
        look(waiters, first, found=False)
        assert woken(*line) == [False, False, True, False, False]
        look(waiters, second, found=False)
        assert woken(*line) == [False, False, False, True, False]
        look(waiters, third, found=False)  # who surely fits found nothing: the job is gone
        assert woken(*line) == [False, False, False, False, False]


def test_who_finds_work_passes_nothing_on(waiters):
    picky = Offer(models=A, blacklist=frozenset({"fox"}))
    with (
        waiters.in_line(picky, calls=0) as first,
        waiters.in_line(picky, calls=0) as second,
    ):
        waiters.wake(FOR_A, 1)
        look(waiters, first, found=True)
        assert woken(second) == [False]


def test_a_call_goes_through_so_many_hands_only(waiters):
    with contextlib.ExitStack() as line:
        crowd = [
            line.enter_context(waiters.in_line(Offer(models=A), calls=0))
            for _ in range(module.MAX_PASSED + 5)
        ]
        waiters.wake(None, 1)
        looked = 0
        while called := next((one for one in crowd if one.woken.is_set()), None):
            look(waiters, called, found=False)
            looked += 1
        assert looked == module.MAX_PASSED + 1


def test_who_leaves_before_it_looked_leaves_the_call_to_the_next(waiters):
    offer = Offer(models=A)
    with contextlib.ExitStack() as line:
        with waiters.in_line(offer, calls=0) as leaving:
            after = line.enter_context(waiters.in_line(offer, calls=0))
            waiters.wake(FOR_A, 1)
            assert woken(leaving, after) == [True, False]
        assert woken(after) == [True]


async def test_a_call_that_comes_during_a_look_is_not_lost_with_the_job_found(waiters):
    offer = Offer(models=A)
    with contextlib.ExitStack() as line:
        with waiters.in_line(offer, calls=0) as busy:
            after = line.enter_context(waiters.in_line(offer, calls=0))
            waiters.wake(FOR_A, 1)
            assert await busy.wait(30) is Why.CALLED
            waiters.wake(FOR_A, 1)  # while it claims the first
            waiters.looked(busy, settled=True)
            assert woken(after) == [False]
        assert woken(after) == [True]


async def test_a_waiter_knows_why_it_looks(waiters, monkeypatch):
    with waiters.in_line(Offer(models=A), calls=0) as waiter:
        waiters.wake(FOR_A, 1)
        assert await waiter.wait(30) is Why.CALLED
        waiters.hint()
        assert await waiter.wait(30) is Why.HINTED
        monkeypatch.setattr(module, "LOOK_AGAIN_SECONDS", 0.01)
        assert await waiter.wait(30) is Why.CLOCK


async def test_where_events_may_be_missed_a_waiter_looks_more_often(waiters, monkeypatch):
    monkeypatch.setattr(module, "LOOK_AGAIN_SECONDS", 1000.0)
    monkeypatch.setattr(module, "LOOK_AGAIN_UNLINKED_SECONDS", 0.01)
    with waiters.in_line(Offer(models=A), calls=0) as waiter:
        async with asyncio.timeout(10):
            assert await waiter.wait(30, linked=False) is Why.CLOCK


def test_as_many_wait_as_a_worker_has_threads_and_as_an_address_may(waiters):
    few = Waiters(most=4, most_of_address=2)
    with contextlib.ExitStack() as line:

        def begins(worker, address, threads=1):
            if not few.has_room(worker, threads=threads, address=address):
                return False
            line.enter_context(few.in_line(Offer(worker_id=worker), calls=0, address=address))
            return True

        assert begins("w", "here")
        assert not begins("w", "there")
        assert begins("w", "there", threads=2)
        assert begins("x", "here")
        assert not begins("y", "here")
        assert begins("y", "there")
        assert not begins("z", "elsewhere")
    assert few.has_room("w", threads=1, address="here")
    few.close()
    assert not few.has_room("w", threads=1, address="here")


def test_no_worker_has_more_threads_than_any(waiters):
    with contextlib.ExitStack() as line:
        begun = 0
        while waiters.has_room("w", threads=10_000, address=""):
            line.enter_context(waiters.in_line(Offer(worker_id="w"), calls=0))
            begun += 1
        assert begun == module.MAX_THREADS


async def test_all_waiting_ends_when_the_server_stops(waiters):
    with waiters.in_line(Offer(models=A), calls=0) as waiter:
        waiting = asyncio.create_task(waiter.wait(30))
        await asyncio.sleep(0)
        waiters.close()
        async with asyncio.timeout(10):
            await waiting
    with waiters.in_line(Offer(models=A), calls=0) as late:
        assert woken(late) == [True]


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
