"""Pops jobs, lets them be made, and delivers them: the loop of a worker of any kind.

Four things overlap: source pictures are fetched beside everything else, the next batch is popped
shortly before the one at work is done, and what is done is encoded, uploaded and submitted while
the next is at work. Every popped job is submitted or reported faulted before `Worker.run` returns,
however it comes to that. What goes wrong with a job, expected or not, ends that job and nothing
else.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Generic

import structlog

from core.client import HordeError, InMaintenance, Invalid, Unauthenticated, UnreadableJobs
from core.wire.messages import ResponseModelMessagePop
from worker.at_work import AtWork
from worker.engine import Engine
from worker.escrow import Escrow
from worker.idling import Habits, Idling
from worker.in_hand import InHand
from worker.journal import Journal
from worker.kind import B, Channel, R
from worker.line_up import LineUp
from worker.progress import Display, Unfailing
from worker.proving import Proving
from worker.renderer import Model, Order

MAX_BATCHES: Final = 3
"""The most batches being made or delivered: on a slow line, rendering waits."""
MAX_FETCHING: Final = 3
"""Batches whose source pictures are being fetched."""
SLOW_FETCH_SECONDS: Final = 1.0
"""After which another batch may be popped meanwhile."""

FIRST_PAUSE_SECONDS: Final = 1.0
MAX_PAUSE_SECONDS: Final = 60.0
MIN_LOOK_SECONDS: Final = 0.1
"""From one look to the next for a model that may be offered."""
MAINTENANCE_SECONDS: Final = 15.0
FINAL: Final = frozenset({"AnonForbiddenWorker", "WorkerInviteOnly"})
"""Refusals of an owner that do not pass by themselves, by their return codes."""
MAX_REFUSALS: Final = 5
"""Pops in a row that the server refuses as they are: it will go on to do so."""

log = structlog.get_logger(__name__)


class Unwelcome(Exception):
    """The server refuses this worker as it is; asking again would not help."""


class NothingToServe(Exception):
    """No usable model is left."""


class Worker(Generic[B, R]):
    """One worker of one horde. Workers of several kinds may share an engine by taking turns.

    models: what can be served, by name; each is offered once it was seen to make something. One
        that does not load is dropped, and one that keeps killing the engine rests for a while.
    escrow: how much of a reward is credited at once.
    journal: where jobs in hand are kept for the next start; None: nowhere.
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
        journal: Journal | None = None,
    ) -> None:
        self._channel = channel
        self._engine = engine
        self._display: Display = Unfailing(display)
        self._models = LineUp(models, max_deaths=habits.max_deaths)
        self._habits = habits
        self._idling = Idling(habits.idle_seconds)
        self._in_hand = InHand(channel, self._display, escrow or Escrow(), journal)
        self._at_work = AtWork(engine, self._models, self._in_hand, self._display, lost=self._lost)
        self._ready: asyncio.Queue[_Ready[B, R] | None] = asyncio.Queue(1)
        self._appetite = asyncio.Semaphore(1)  # batches that may be popped now
        self._fetching = asyncio.Semaphore(MAX_FETCHING)
        self._stop = asyncio.Event()
        self._end: Exception | None = None
        self._proving = Proving(engine, self._models, self._at_work, self._display, self._stop)
        self._heard: set[str] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until told to stop, then finish what is in hand.

        When cancelled, give it back instead. Raises Unwelcome and NothingToServe.
        """
        if stop.is_set():
            self._stop.set()
        try:
            async with asyncio.TaskGroup() as beside:
                meanwhile = [self._in_hand.keep_trying(), self._follow(stop)]
                tasks = [beside.create_task(each) for each in meanwhile]
                try:
                    await self._proving.warm_up(self._habits.max_deaths)
                    tasks.append(beside.create_task(self._proving.prove(self._habits.max_deaths)))
                    async with asyncio.TaskGroup() as group:
                        group.create_task(self._pop_all())
                        group.create_task(self._render_all(group))
                finally:
                    for task in tasks:
                        task.cancel()
        finally:
            await self._in_hand.give_back()
        if self._end is not None:
            raise self._end

    async def _follow(self, stop: asyncio.Event) -> None:
        """Stop when told to. That this worker ends by itself is nothing to those beside it."""
        await stop.wait()
        self._stop.set()

    def change(self, models: Mapping[str, Model], habits: Habits) -> None:
        """Serve these models with these habits from now on."""
        self._models.change(models)
        self._habits = habits
        self._idling = Idling(habits.idle_seconds)
        self._proving.changed()

    # Popping

    async def _pop_all(self) -> None:
        """Pop whenever there is room for a batch, until told to stop; then end the queue."""
        pause, refusals = FIRST_PAUSE_SECONDS, 0
        async with asyncio.TaskGroup() as preparing:
            while await self._unless_stopped(self._appetite.acquire()) and await self._has_models():
                try:
                    await self._pop(preparing)
                except Exception as error:  # noqa: BLE001 - the next pop may succeed
                    self._appetite.release()
                    refusals = refusals + 1 if isinstance(error, Invalid) else 0
                    if refusals == MAX_REFUSALS:
                        self._finish(Unwelcome(str(error)))
                    await self._back_off(error, pause)
                    pause = min(pause * 2, MAX_PAUSE_SECONDS)
                else:
                    pause, refusals = FIRST_PAUSE_SECONDS, 0
        await self._ready.put(None)

    async def _has_models(self) -> bool:
        """Wait until a model may be offered. Returns False if the worker is told to stop before."""
        while not self._stop.is_set():
            if self._models.offered:
                return True
            pause = max(self._habits.idle_seconds, MIN_LOOK_SECONDS)
            await self._rest(self._models.seconds_to_next() or pause)
        return False

    async def _pop(self, preparing: asyncio.TaskGroup) -> None:
        """Pop once, and see to what there is to do. What it raises, it raises for no work."""
        began = time.monotonic()
        try:
            haul = await self._channel.pop(self._models.offered, device=self._engine.device)
        except UnreadableJobs as error:
            await self._in_hand.refuse(error.ids, error.message)
            raise
        if haul.batch is not None:
            self._in_hand.take_batch(haul.batch)
        self._hear(haul.messages)
        if haul.batch is not None:
            self._idling.worked()
            preparing.create_task(self._prepare(haul.batch))
        else:
            self._appetite.release()
            await self._rest(self._idling.seconds(time.monotonic() - began))

    async def _back_off(self, error: Exception, pause: float) -> None:
        """Wait before the next pop, or raise, depending on a pop's failure."""
        if not isinstance(error, HordeError):
            log.error("popping failed", exc_info=error)
            await self._rest(pause)
            return
        is_final = isinstance(error, Unauthenticated) or error.rc in FINAL
        if is_final or "wrong credentials" in error.message.lower():
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
        self._in_hand.answered.clear()  # a server that takes results has work, too
        # Half of it is random, so that workers do not all return at once when their server is back.
        await self._rest(
            pause * random.uniform(0.5, 1),  # noqa: S311 - keeps no secret
            sooner=None if error.retry_after_seconds else self._in_hand.answered,
        )

    async def _prepare(self, batch: B) -> None:
        """Turn a pop into an order, and queue it. Where that takes long, others are popped."""
        appetite = _Once(self._appetite)
        async with self._fetching:
            slow = asyncio.get_running_loop().call_later(SLOW_FETCH_SECONDS, appetite.release)
            try:
                order = await self._channel.order(batch, self._models.offered)
            except Exception as error:  # noqa: BLE001 - one job's fault must not affect others
                appetite.release()
                await self._at_work.fault(batch, error)
                return
            finally:
                slow.cancel()
        await self._ready.put(_Ready(batch, order, appetite))

    # Rendering

    async def _render_all(self, group: asyncio.TaskGroup) -> None:
        """Render batch after batch, until the queue ends. group: runs the deliveries."""
        room = asyncio.Semaphore(MAX_BATCHES)
        while (ready := await self._ready.get()) is not None:
            appetite = ready.appetite
            await room.acquire()

            def rest(seconds: float, appetite: _Once = appetite) -> None:
                if seconds < self._habits.ahead_seconds:
                    appetite.release()

            telling = await self._at_work.render(ready.batch, ready.order, rest)
            group.create_task(telling).add_done_callback(lambda _: room.release())
            if not self._engine.running:
                await self._proving.warm_up(self._habits.max_deaths)
            appetite.release()

    # Stopping and waiting

    def _lost(self) -> None:
        self._finish(NothingToServe("no model is left that can be rendered"))

    def _finish(self, reason: Exception) -> None:
        self._end = reason
        self._stop.set()

    async def _rest(self, seconds: float, sooner: asyncio.Event | None = None) -> None:
        """Wait for so long, or until told to stop. sooner: or until that happens."""
        if seconds <= 0:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._unless_stopped((sooner or asyncio.Event()).wait())

    async def _unless_stopped(self, waiting: Awaitable[object]) -> bool:
        """Wait for something. Returns False if told to stop before."""
        task = asyncio.ensure_future(waiting)
        stopping = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            task.cancel()
            stopping.cancel()
        return not self._stop.is_set()

    def _hear(self, messages: Iterable[ResponseModelMessagePop]) -> None:
        """Show the operator each message of the server once."""
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


@dataclass(frozen=True)
class _Ready(Generic[B, R]):
    """A batch with its order. appetite: to be released when it is nearly done."""

    batch: B
    order: Order[R]
    appetite: _Once
