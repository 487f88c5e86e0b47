"""Renderers without torch, whose behaviour is in the prompt, and engines around them.

`hang`, `die`, `bug` and `refuse` do what they say; so do `nan` and `blank`; the first picture of
`nude` is held back; `wait <path>` takes steps until the file is there; anything else makes pictures
at once, whose colour is the seed.
"""

import asyncio
import os
import signal
import time
from pathlib import Path

from worker.alchemy.order import Answered, FormOrder
from worker.engine import EngineDied
from worker.image.order import Checkpoint, Rendered
from worker.renderer import (
    BrokenResult,
    CannotLoad,
    CannotRender,
    Held,
    Picture,
    Stopped,
    information,
)
from worker.text.order import LanguageModel, TextOrder, Written

TINY = Checkpoint("tiny", Path("/nowhere"), native=128, multiple=32)
STORY = LanguageModel("story", Path("/nowhere"), context=1024)
BROKEN = Checkpoint("broken", Path("/nowhere"), native=128, multiple=32)


class FakeRenderer:
    def __init__(self, device="cpu"):
        self.device = device

    def load(self, model):
        if model.name == BROKEN.name:
            raise CannotLoad("its files are broken")

    def held(self):
        return (Held("held", 25_000_000),)

    def render(self, order, on_step):
        if isinstance(order, TextOrder):
            return self._write(order, on_step)
        if isinstance(order, FormOrder):
            return Answered([order.form.name, len(order.picture)])
        word, _, rest = order.prompt.partition(" ")
        if word == "hang":
            time.sleep(3600)  # what hangs is to be killed by its watchdog
        if word == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if word == "bug":
            raise ZeroDivisionError("nobody expected this")
        if word == "nan":
            raise BrokenResult("the model's numbers ran out of range")
        if word == "refuse":
            raise CannotRender("not this one", (information("for a reason"),))
        end = time.monotonic() + 30  # a test that fails leaves nobody to make the file
        while word == "wait" and not Path(rest).exists() and time.monotonic() < end:
            on_step(1, order.steps)
            time.sleep(0.005)  # the file is made by the test, in another process
        for step in range(1, order.steps + 1):
            on_step(step, order.steps)
        return Rendered(
            tuple(picture(order, seed) for seed in order.seeds),
            (*order.notes, information(order.sampler)),
            blank=len(order.seeds) if word == "blank" else 0,
            held_back=frozenset({0} if word == "nude" else ()),
        )

    def _write(self, order, on_step):
        for step in range(1, order.length + 1):
            on_step(step, order.length)
        return tuple(Written(f" {seed} after {order.prompt}", order.length) for seed in order.seeds)


def picture(order, seed):
    colour = bytes((seed % 256, order.cfg_scale > 1, 99))
    return Picture(order.width, order.height, colour * (order.width * order.height))


class ThreadEngine:
    """Stands for `worker.engine.Engine`, with a thread for its process; dies where that would."""

    def __init__(self, renderer=None):
        self.renderer = renderer or FakeRenderer()
        self.running = False
        self.device = None
        self.starts = 0

    async def load(self, model):
        if not self.running:
            self.running, self.device = True, self.renderer.device
            self.starts += 1
        self.renderer.load(model)

    async def render(self, order, on_step, *, stop=None, show=None):
        if stop is not None and stop.done():
            raise Stopped(stop.result())
        await self.load(order.model)
        if getattr(order, "prompt", None) in {"die", "hang"}:
            self.running = False
            raise EngineDied("the engine died (SIGKILL)")
        loop = asyncio.get_running_loop()

        def step(number, of, look=None):
            if stop is not None and stop.done():
                raise Stopped(stop.result())
            watched = show is not None and show.done()
            seen = look() if watched and look is not None else None
            loop.call_soon_threadsafe(on_step, number, of, seen)

        return await asyncio.to_thread(self.renderer.render, order, step)

    async def stop(self):
        self.running = False
