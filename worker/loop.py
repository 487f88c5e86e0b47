"""Pops jobs, has them made, and delivers them: the worker's life, whatever its kind of work.

Three things overlap: the next batch is fetched shortly before the one at work is done, and what is
done is encoded, uploaded and submitted while the next is at work. Every popped job is submitted or
reported faulted before `Worker.run` returns, however it comes to that. What goes wrong with a job,
expected or not, ends that job and nothing else.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Generic

import structlog

from core.client import HordeError, InMaintenance, Unauthenticated, UnreadableJobs
from core.wire.messages import ResponseModelMessagePop
from worker.engine import Engine, EngineDied
from worker.escrow import Escrow
from worker.idling import Idling
from worker.in_hand import InHand
from worker.kind import B, Channel, R, unexpected
from worker.line_up import LineUp
from worker.progress import Display, Unfailing
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

    models: what can be served, by name; one that does not load is dropped, and one that keeps
        killing the engine rests for a while.
    escrow: whether what is earned is credited at once.
    """

    def __init__(
        self,
        channel: Channel[B, R],
        engine: Engine,
        display: Display,
        *,
        models: Mapping[str, Model],
        habits: Habits,
        escrow: Escrow | None = None,
    ) -> None:
        self._channel = channel
        self._engine = engine
        self._display: Display = Unfailing(display)
        self._models = LineUp(models, max_deaths=habits.max_deaths)
        self._habits = habits
        self._idling = Idling(habits.idle_seconds)
        self._in_hand = InHand(channel, self._display, escrow or Escrow())
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
        finally:
            await self._in_hand.give_back()
        if self._end is not None:
            raise self._end

    def change(self, models: Mapping[str, Model], habits: Habits) -> None:
        """Serve these models with these habits from now on."""
        self._models.change(models)
        self._habits = habits
        self._idling = Idling(habits.idle_seconds)

    async def _warm_up(self) -> None:
        """Have an engine with the first model that loads, so that no job waits for it."""
        failures = Counter[str]()
        while not self._stop.is_set() and self._models.offered:
            name, model = next(iter(self._models.offered.items()))
            try:
                await self._engine.load(model)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this model's
                failures[name] += 1
                log.warning(
                    "engine trouble", model=name, failures=failures[name], reason=str(error)
                )
                if isinstance(error, CannotLoad) or failures[name] >= self._habits.max_deaths:
                    self._drop(name, error)
            else:
                self._display.say(f"ready: {', '.join(self._models.offered)}")
                return

    # Popping

    async def _pop_all(self) -> None:
        """Pop whenever there is appetite, until told to stop; then end the queue."""
        pause = FIRST_PAUSE_SECONDS
        while await self._unless_stopped(self._appetite.acquire()) and await self._has_models():
            try:
                await self._pop()
            except Exception as error:  # noqa: BLE001 - the next pop may well go better
                self._appetite.release()
                await self._back_off(error, pause)
                pause = min(pause * 2, MAX_PAUSE_SECONDS)
            else:
                pause = FIRST_PAUSE_SECONDS
        await self._ready.put(None)

    async def _has_models(self) -> bool:
        """Wait until a model may be offered; False where the worker is told to stop before."""
        while not self._stop.is_set():
            if self._models.offered:
                return True
            await self._rest(self._models.seconds_to_next())
        return False

    async def _pop(self) -> None:
        """Pop once, and queue what there is to do. What it raises, it raises for no work."""
        began = time.monotonic()
        try:
            haul = await self._channel.pop(list(self._models.offered), device=self._engine.device)
        except UnreadableJobs as error:
            await self._in_hand.refuse(error.ids, error.message)
            raise
        if haul.batch is not None:
            self._in_hand.take(haul.batch.ids)
        self._hear(haul.messages)
        if haul.batch is not None:
            self._idling.worked()
            await self._prepare(haul.batch)
        else:
            self._appetite.release()
            await self._rest(self._idling.seconds(time.monotonic() - began))

    async def _back_off(self, error: Exception, pause: float) -> None:
        """Wait before the next pop, or end, as a pop's failure demands."""
        if not isinstance(error, HordeError):
            log.error("popping failed", exc_info=error)
            await self._rest(pause)
            return
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
        try:
            order = await self._channel.order(batch, self._models.offered)
        except Exception as error:  # noqa: BLE001 - one job's fault is no other's
            self._appetite.release()
            await self._fault(batch, error)
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
            left = (time.monotonic() - began) / max(step, 1) * (steps - step)
            if left < self._habits.ahead_seconds:
                appetite.release()

        if batch.model not in self._models.offered:
            return self._in_hand.fault(batch, "its model has just been dropped")
        self._display.begin(batch)
        try:
            result = await self._engine.render(order, on_step)
        except CannotLoad as error:
            log.warning("a model does not load", model=batch.model, reason=str(error))
            self._drop(batch.model, error)
            return self._in_hand.fault(batch, "its model cannot be loaded")
        except EngineDied as error:
            self._count_death(batch.model, error)
            return self._in_hand.fault(batch, str(error))
        except Exception as error:  # noqa: BLE001 - one job's fault is no other's
            return self._fault(batch, error)
        self._models.succeeded(batch.model)
        return self._in_hand.deliver(batch, result)

    def _fault(self, batch: B, error: Exception) -> Coroutine[None, None, None]:
        """Tell the server that a batch cannot be made, for a reason that strangers may read."""
        if isinstance(error, CannotRender):
            return self._in_hand.fault(batch, error.reason, error.notes)
        log.error("job failed", jobs=batch.ids, model=batch.model, exc_info=error)
        return self._in_hand.fault(batch, unexpected(error))

    def _count_death(self, model: str, error: EngineDied) -> None:
        """Count a death of the engine; after too many of them, the model rests."""
        log.error("engine trouble", model=model, reason=str(error))
        minutes = self._models.died(model)
        if minutes:
            self._display.say(f"{model} is not offered for {minutes:g} minutes: {error}")

    def _drop(self, model: str, error: Exception) -> None:
        """Offer a model no more."""
        self._models.drop(model)
        self._display.say(f"{model} is not offered any more: {error}")
        if self._models.is_empty:
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
