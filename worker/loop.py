"""Pops jobs, has them made, and delivers them: the worker's life, whatever its kind of work.

Three things overlap: the next batch is fetched shortly before the one at work is done, and what is
done is encoded, uploaded and submitted while the next is at work. Every popped job is submitted or
reported faulted before `Worker.run` returns, also when it is told to stop meanwhile.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Generic

import structlog

from core.client import HordeError, InMaintenance, Unauthenticated
from core.wire.messages import ResponseModelMessagePop
from worker.delivery import Delivery
from worker.engine import Engine, EngineDied
from worker.kind import B, Kind, R
from worker.progress import Display
from worker.renderer import CannotLoad, CannotRender, Model, Order

MAX_BATCHES: Final = 3
"""Batches at work or on their way to the server: behind a slow line, rendering waits."""

FIRST_PAUSE_SECONDS: Final = 1.0
MAX_PAUSE_SECONDS: Final = 60.0
MAINTENANCE_SECONDS: Final = 15.0

log = structlog.get_logger(__name__)


class Unwelcome(Exception):
    """The server will not have this worker as it is; asking again would not help."""


class NothingToServe(Exception):
    """No model is left that can be rendered."""


@dataclass(frozen=True)
class Habits:
    """How the worker goes about its work.

    idle_seconds: from one pop in vain to the next, at least.
    ahead_seconds: how long before a batch's end the next is popped.
    max_deaths: of the engine in a row on one model, after which the model is dropped.
    """

    idle_seconds: float
    ahead_seconds: float
    max_deaths: int


class Worker(Generic[B, R]):
    """One worker of one horde. Workers of several kinds may share an engine: they take turns.

    models: what can be served, by name; a model that keeps killing the engine is dropped.
    """

    def __init__(
        self,
        kind: Kind[B, R],
        engine: Engine,
        display: Display,
        *,
        models: Mapping[str, Model],
        habits: Habits,
    ) -> None:
        self._kind = kind
        self._engine = engine
        self._display = display
        self._models = dict(models)
        self._habits = habits
        self._delivery = Delivery(kind, display)
        self._deaths: Counter[str] = Counter()
        self._ready: asyncio.Queue[tuple[B, Order[R]] | None] = asyncio.Queue(1)
        self._appetite = asyncio.Semaphore(1)  # batches that may be popped now
        self._stop = asyncio.Event()
        self._end: Exception | None = None
        self._heard: set[str] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until told to stop, then finish what is in hand.

        When cancelled, give it back instead. Raises Unwelcome and NothingToServe.
        """
        self._stop = stop
        try:
            await self._warm_up()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pop_all())
                group.create_task(self._render_all(group))
        except asyncio.CancelledError:
            await self._delivery.give_back()
            raise
        if self._end is not None:
            raise self._end

    async def _warm_up(self) -> None:
        """Have an engine with the first model that loads, so that no job waits for it."""
        while not self._stop.is_set():
            name = next(iter(self._models))
            try:
                await self._engine.load(self._models[name])
            except (CannotLoad, EngineDied) as error:
                self._blame(name, error)
            else:
                self._display.say(f"ready: {', '.join(self._models)}")
                return

    # Popping

    async def _pop_all(self) -> None:
        """Pop whenever there is appetite, until told to stop; then end the queue."""
        pause = FIRST_PAUSE_SECONDS
        while await self._unless_stopped(self._appetite.acquire()):
            began = time.monotonic()
            try:
                popped = await self._kind.pop(list(self._models), device=self._engine.device)
            except HordeError as error:
                self._appetite.release()
                await self._back_off(error, pause)
                pause = min(pause * 2, MAX_PAUSE_SECONDS)
                continue
            pause = FIRST_PAUSE_SECONDS
            self._hear(popped.messages)
            if popped.batch is not None:
                await self._prepare(popped.batch)
            else:
                self._appetite.release()
                await self._rest(self._habits.idle_seconds - (time.monotonic() - began))
        await self._ready.put(None)

    async def _back_off(self, error: HordeError, pause: float) -> None:
        """Wait before the next pop, or end, as a pop's failure demands."""
        if isinstance(error, Unauthenticated) or "wrong credentials" in error.message.lower():
            self._finish(Unwelcome(error.message))
            return
        if isinstance(error, InMaintenance) or "maintenance mode" in error.message.lower():
            if error.message not in self._heard:
                self._display.say(f"idle: {error.message}")
            self._heard.add(error.message)
            pause = MAINTENANCE_SECONDS
        else:
            log.warning("no work to be had", reason=str(error), rc=error.rc)
        pause = max(pause, error.retry_after_seconds or 0)
        # Half of it is chance, so that workers whose server came back do not come all at once.
        await self._rest(pause * random.uniform(0.5, 1))  # noqa: S311 - keeps no secret

    async def _prepare(self, batch: B) -> None:
        """Turn a pop into an order, and queue it."""
        self._delivery.take(batch)
        try:
            order = await self._kind.order(batch, self._models)
        except CannotRender as error:
            self._appetite.release()
            await self._delivery.fault(batch, error.reason, error.notes)
        else:
            await self._ready.put((batch, order))

    # Rendering

    async def _render_all(self, group: asyncio.TaskGroup) -> None:
        """Render batch after batch, until the queue ends; `group` gets the deliveries."""
        room = asyncio.Semaphore(MAX_BATCHES)
        while (queued := await self._ready.get()) is not None:
            batch, order = queued
            appetite = _Once(self._appetite)
            await room.acquire()
            delivery = group.create_task(await self._render(batch, order, appetite))
            delivery.add_done_callback(lambda _: room.release())
            if not self._engine.running:
                await self._warm_up()
            appetite.release()

    async def _render(
        self, batch: B, order: Order[R], appetite: "_Once"
    ) -> Coroutine[None, None, None]:
        """Render a batch, and give what is to be told to the server.

        appetite: is released when the batch is nearly done.
        """
        began = time.monotonic()

        def on_step(step: int, steps: int) -> None:
            self._display.step(batch, step, steps)
            left = (time.monotonic() - began) / step * (steps - step)
            if left < self._habits.ahead_seconds:
                appetite.release()

        if batch.model not in self._models:
            return self._delivery.fault(batch, "its model has just been dropped")
        self._display.begin(batch)
        try:
            result = await self._engine.render(order, on_step)
        except CannotRender as error:
            return self._delivery.fault(batch, error.reason, error.notes)
        except (CannotLoad, EngineDied) as error:
            self._blame(batch.model, error)
            return self._delivery.fault(batch, str(error))
        self._deaths[batch.model] = 0
        return self._delivery.results(batch, result)

    def _blame(self, model: str, error: CannotLoad | EngineDied) -> None:
        """Count a death of the engine, and drop the model after too many, or if it cannot load."""
        self._deaths[model] += 1
        log.error("engine trouble", model=model, deaths=self._deaths[model], reason=str(error))
        if isinstance(error, CannotLoad) or self._deaths[model] >= self._habits.max_deaths:
            self._models.pop(model, None)
            self._display.say(f"{model} is not offered any more: {error}")
            if not self._models:
                self._finish(NothingToServe("no model is left that can be rendered"))

    # Stopping and waiting

    def _finish(self, reason: Exception) -> None:
        self._end = reason
        self._stop.set()

    async def _rest(self, seconds: float) -> None:
        if seconds > 0:
            await self._unless_stopped(asyncio.sleep(seconds))

    async def _unless_stopped(self, waiting: Awaitable[object]) -> bool:
        """Wait for something, or for being told to stop: then the answer is False."""
        task = asyncio.ensure_future(waiting)
        stopping = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            task.cancel()
            stopping.cancel()
        return not self._stop.is_set()

    def _hear(self, messages: Iterable[ResponseModelMessagePop]) -> None:
        """Show the operator what the server has to say, once."""
        for message in messages:
            if message.id not in self._heard:
                self._heard.add(message.id)
                self._display.say(f"message from {message.origin}: {message.message}")


class _Once:
    """Releases a semaphore at the first of several calls."""

    def __init__(self, semaphore: asyncio.Semaphore) -> None:
        self._semaphore: asyncio.Semaphore | None = semaphore

    def release(self) -> None:
        """Release it, unless that was done."""
        if self._semaphore is not None:
            self._semaphore.release()
            self._semaphore = None
