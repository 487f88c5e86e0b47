"""The engine process with a renderer without torch: it may die, hang and refuse."""

import asyncio
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from fake_renderers import BROKEN, TINY, FakeRenderer, picture
from processes import alive
from worker.engine import Engine, EngineDied, Limits
from worker.image.order import PictureOrder
from worker.renderer import CannotLoad, CannotRender

LIMITS = Limits(start=60, load=60, step=60)
ORDER = PictureOrder(
    checkpoint=TINY,
    prompt="a red fox",
    negative="",
    width=64,
    height=32,
    steps=3,
    cfg_scale=5.0,
    sampler="k_euler",
    karras=False,
    seeds=(1, 2),
)


def ignore(step, steps, shown=None):
    pass


async def gone(pid):
    for _ in range(1000):
        if not alive(pid):
            return True
        await asyncio.sleep(0.01)
    return False


@pytest.fixture
async def engine():
    async with Engine(FakeRenderer, LIMITS) as running:
        yield running


async def test_pictures_and_steps_come_back(engine):
    steps = []
    rendered = await engine.render(ORDER, lambda *step: steps.append(step[:2]))
    assert rendered.pictures == tuple(picture(ORDER, seed) for seed in (1, 2))
    assert rendered.notes[0].ref == "k_euler"
    assert steps == [(1, 3), (2, 3), (3, 3)]
    assert engine.device == "cpu"
    assert [held.name for held in engine.held] == ["held"]
    await engine.stop()
    assert not engine.held


async def test_an_engine_that_was_begun_early_is_the_one_that_renders(engine):
    engine.begin()
    pid = engine.pid
    engine.begin()
    assert await engine.render(ORDER, ignore)
    assert engine.pid == pid


async def test_an_engine_that_died_before_its_first_order_is_replaced(engine):
    engine.begin()
    os.kill(engine.pid, signal.SIGKILL)
    assert await gone(engine.pid)
    assert await engine.render(ORDER, ignore)


async def test_refusals_and_bugs_leave_the_engine_alive(engine):
    with pytest.raises(CannotLoad, match="broken"):
        await engine.load(BROKEN)
    pid = engine.pid
    with pytest.raises(CannotRender) as refusal:
        await engine.render(replace(ORDER, prompt="refuse"), ignore)
    assert refusal.value.notes[0].ref == "for a reason"
    with pytest.raises(CannotRender, match="the worker failed: ZeroDivisionError"):
        await engine.render(replace(ORDER, prompt="bug"), ignore)
    await engine.render(ORDER, ignore)
    assert engine.pid == pid


async def test_a_dead_engine_is_noticed_and_replaced(engine):
    with pytest.raises(EngineDied, match="SIGKILL"):
        await engine.render(replace(ORDER, prompt="die"), ignore)
    assert not engine.running
    assert await engine.render(ORDER, ignore)


async def test_an_engine_that_dies_between_orders_costs_none(engine):
    await engine.load(TINY)
    pid = engine.pid
    os.kill(pid, signal.SIGKILL)
    await asyncio.to_thread(engine._running.process.join)  # its last thread, too, is gone
    assert await engine.render(ORDER, ignore)
    assert engine.pid != pid


async def test_a_hanging_engine_is_killed():
    async with Engine(FakeRenderer, replace(LIMITS, step=0.2)) as engine:
        await engine.load(TINY)
        pid = engine.pid
        with pytest.raises(EngineDied, match=r"no sign of life for 0\.2 s"):
            await engine.render(replace(ORDER, prompt="hang"), ignore)
        assert await gone(pid)
        assert await engine.render(ORDER, ignore)


async def test_steps_are_signs_of_life(tmp_path):
    async with Engine(FakeRenderer, replace(LIMITS, step=0.5)) as engine:
        going = asyncio.ensure_future(
            engine.render(replace(ORDER, prompt=f"wait {tmp_path / 'go'}"), ignore)
        )
        await asyncio.sleep(1.5)
        (tmp_path / "go").touch()
        assert await going


async def test_cancelling_ends_the_engine(engine, tmp_path):
    stepped = asyncio.Event()
    order = replace(ORDER, prompt=f"wait {tmp_path / 'go'}")
    going = asyncio.ensure_future(engine.render(order, lambda *_: stepped.set()))
    await stepped.wait()
    pid = engine.pid
    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going
    assert await gone(pid)


async def test_the_signals_of_a_terminal_are_for_the_control_process(engine, tmp_path):
    stepped = asyncio.Event()
    order = replace(ORDER, prompt=f"wait {tmp_path / 'go'}")
    going = asyncio.ensure_future(engine.render(order, lambda *_: stepped.set()))
    await stepped.wait()
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(engine.pid, number)
    (tmp_path / "go").touch()
    assert await going


CONTROL = """
import asyncio, sys
from fake_renderers import TINY, FakeRenderer
from test_engine import LIMITS, ORDER
from dataclasses import replace
from worker.engine import Engine

async def main():
    async with Engine(FakeRenderer, LIMITS) as engine:
        await engine.load(TINY)
        print(engine.pid, flush=True)
        await engine.render(replace(ORDER, prompt="hang"), print)

if __name__ == "__main__":
    asyncio.run(main())
"""


async def test_a_killed_control_process_leaves_no_engine(tmp_path):
    script = tmp_path / "control.py"
    script.write_text(CONTROL)
    here = Path(__file__).parent
    path = os.pathsep.join([str(here), str(here.parent), str(here.parent.parent)])
    with subprocess.Popen(  # noqa: ASYNC220 - starting it takes no time worth a thread
        [sys.executable, script], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}
    ) as control:
        pid = int(await asyncio.to_thread(control.stdout.readline))
        assert alive(pid)
        control.kill()
    assert await gone(pid)
