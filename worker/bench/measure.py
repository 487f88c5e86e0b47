"""Measures both in turns, so that whatever else the machine does falls on both alike."""

import asyncio
import json
import statistics
import sys
import time
from asyncio.subprocess import PIPE
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from core.client import HordeClient
from worker.bench import jobs
from worker.bench.horde import FixedHorde
from worker.engine import Engine, Limits
from worker.engine_process import renderers
from worker.idling import Habits
from worker.image.kind import Pictures
from worker.image.order import Checkpoint
from worker.kind import Batch
from worker.loop import Worker
from worker.memory import resident
from worker.offers import AGENT, image_offer
from worker.settings import Settings

KEY: Final = "a-key-of-the-benchmark"


class NotMeasured(Exception):
    """A part failed; the text says how."""


@dataclass(frozen=True)
class Round:
    """What one turn took. Seconds a picture; bytes."""

    bare_seconds: float
    worker_seconds: float
    ready_seconds: float
    control_bytes: int | None
    engine_bytes: int | None


class _Silent:
    """A display that keeps when the worker was ready."""

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.ready: float | None = None

    def begin(self, batch: Batch) -> None:
        """Nothing is shown."""
        del batch
        if self.ready is None:
            self.ready = time.perf_counter() - self.began

    def step(self, batch: Batch, step: int, steps: int) -> None:
        """Nothing is shown."""

    def settled(self, batch: Batch, kudos: float, lost: int) -> None:
        """Nothing is shown."""

    def end(self, batch: Batch, outcome: str) -> None:
        """Nothing is shown."""

    def say(self, sentence: str) -> None:
        """Nothing is shown."""

    def close(self) -> None:
        """Nothing is open."""


async def one_round(settings: Settings, model: Checkpoint, count: int) -> Round:
    """Measure the library, then the worker. Raises NotMeasured."""
    display = _Silent()
    make = partial(renderers, device=settings.device, threads=settings.threads)
    limits = Limits(settings.start_timeout, settings.load_timeout, settings.step_timeout)
    with FixedHorde(jobs.table(count), model=model.name, side=model.native) as horde:
        offer = image_offer(settings.model_copy(update={"wait_seconds": 0.0}))
        async with (
            HordeClient(horde.url, KEY, client_agent=AGENT, private=()) as client,
            Engine(make, limits) as engine,
        ):
            worker = Worker(
                Pictures(client, offer, batch=1),
                engine,
                display,
                models={model.name: model},
                habits=Habits(0.1, settings.ahead_seconds, settings.max_deaths),
            )
            stop = asyncio.Event()
            serving = asyncio.create_task(worker.run(stop))
            done = asyncio.create_task(asyncio.to_thread(horde.done.wait))
            await asyncio.wait((serving, done), return_when=asyncio.FIRST_COMPLETED)
            memory = (resident(None), resident(engine.pid))
            device = engine.device or "cpu"
            stop.set()
            horde.done.set()
            await serving
        if horde.failures:
            raise NotMeasured(f"the worker gave jobs back: {horde.failures[0]}")
        through = horde.seconds_a_picture
    bare = await _bare(settings, model, count, device)
    return Round(bare, through, display.ready or 0.0, *memory)


async def _bare(settings: Settings, model: Checkpoint, count: int, device: str) -> float:
    asked: dict[str, Any] = {
        "folder": str(model.folder),
        "device": device,
        "threads": settings.threads,
        "count": count,
        "side": model.native,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "worker.bench.bare"), stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    try:
        said, failed = await process.communicate(json.dumps(asked).encode())
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode:
        reason = failed.decode(errors="replace").strip().rpartition("\n")[2]
        raise NotMeasured(f"the library alone failed: {reason}")
    return float(json.loads(said)["seconds"])


def summary(model: str, count: int, rounds: list[Round]) -> dict[str, Any]:
    """Say it in numbers: of several rounds the median."""
    bare = statistics.median(1 / one.bare_seconds for one in rounds)
    through = statistics.median(1 / one.worker_seconds for one in rounds)
    last = rounds[-1]
    return {
        "model": model,
        "jobs": count,
        "rounds": len(rounds),
        "worker_images_per_second": round(through, 4),
        "bare_images_per_second": round(bare, 4),
        "ratio": round(through / bare, 4),
        "ready_seconds": round(min(one.ready_seconds for one in rounds), 2),
        "control_bytes": last.control_bytes,
        "engine_bytes": last.engine_bytes,
    }
