"""Duties fail, are restarted, and end; none of that is silent or keeps another from its own."""

import asyncio

import pytest
import structlog

from core import supervise
from core.supervise import Duties


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(supervise, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(supervise, "MAX_PAUSE_SECONDS", 0.002)
    monkeypatch.setattr(supervise, "CANCEL_SECONDS", 0.05)


@pytest.fixture
def log():
    with structlog.testing.capture_logs() as entries:
        yield entries


class Failing:
    """Fails so often, then goes on for good."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.goes_on = asyncio.Event()

    async def __call__(self):
        if self.errors:
            raise self.errors.pop(0)
        self.goes_on.set()
        await asyncio.Event().wait()


@pytest.mark.parametrize(
    "error", [ValueError("no"), ExceptionGroup("many", [KeyError()]), asyncio.CancelledError()]
)
async def test_a_duty_that_fails_starts_again_and_that_is_logged(quick, log, error):
    duties, duty = Duties(), Failing(error, error)
    duties.start("watching", duty)
    async with asyncio.timeout(10):
        await duty.goes_on.wait()
    await duties.close()
    told = [entry for entry in log if entry["log_level"] == "error"]
    assert [entry["duty"] for entry in told] == ["watching", "watching"]


async def test_the_pause_grows_up_to_a_limit(monkeypatch):
    monkeypatch.setattr(supervise, "MAX_PAUSE_SECONDS", 3.0)
    pauses = []

    async def sleep(seconds):
        pauses.append(seconds)

    monkeypatch.setattr(supervise.asyncio, "sleep", sleep)
    done = Failing(*[OSError()] * 5)
    task = asyncio.create_task(supervise.keep("watching", done))
    await done.goes_on.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert pauses == [0.5, 1.0, 2.0, 3.0, 3.0]


async def test_a_duty_that_is_done_is_not_done_again(quick, log):
    calls = []

    async def duty():
        calls.append(1)

    async with asyncio.timeout(10):
        await supervise.keep("once", duty)
    assert calls == [1]
    assert [entry["event"] for entry in log] == ["duty done"]


async def test_one_that_ends_badly_or_not_at_all_keeps_no_other_from_ending(quick, log):
    duties, ended, begun = Duties(), [], []

    async def fails_at_its_end():
        try:
            await go_on()
        finally:
            raise OSError("the database has gone")

    async def swallows_once():
        try:
            await go_on()
        except asyncio.CancelledError:
            await asyncio.Event().wait()

    async def tells():
        try:
            await go_on()
        finally:
            ended.append(1)

    async def go_on():
        begun.append(1)
        await asyncio.Event().wait()

    for duty in (fails_at_its_end, swallows_once, tells):
        duties.start(duty.__name__, duty)
    async with asyncio.timeout(10):
        while len(begun) < 3:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)
        await duties.close()
    assert ended == [1]
    assert "fails_at_its_end" in {entry.get("duty") for entry in log}


async def test_what_cannot_be_closed_keeps_nothing_else_open(log):
    closed = []

    async def fails():
        raise OSError("broken")

    async def closes():
        closed.append(1)

    await supervise.close_all([("first", fails), ("second", closes)])
    assert closed == [1]
    assert [entry["what"] for entry in log] == ["first"]
