"""Sees models at work before they are offered."""

import asyncio
import contextlib
from collections import Counter
from typing import Any

import structlog

from worker.at_work import AtWork
from worker.engine import Engine, EngineEnded
from worker.line_up import LineUp
from worker.progress import Display
from worker.renderer import CannotLoad, Model

log = structlog.get_logger(__name__)


class Proving:
    """Loads a worker's models one after the other; those that fail are dropped.

    stop: ends it.
    """

    def __init__(
        self,
        engine: Engine,
        models: LineUp,
        at_work: AtWork[Any, Any],
        display: Display,
        stop: asyncio.Event,
    ) -> None:
        self._engine = engine
        self._models = models
        self._at_work = at_work
        self._display = display
        self._stop = stop
        self._changed = asyncio.Event()

    def changed(self) -> None:
        """There may be other models now."""
        self._changed.set()

    async def warm_up(self, max_deaths: int) -> None:
        """Start the engine with the first model that loads, so that no job waits for it.

        When the worker is told to stop, what is loading is left.
        """
        failures = Counter[str]()
        while not self._stop.is_set() and (
            candidates := {**self._models.offered, **self._models.unproven}
        ):
            name, model = next(iter(candidates.items()))
            try:
                if not await self._load(model):
                    return
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this model's
                self._count(name, error, failures, max_deaths)
            else:
                self._models.proved(name)
                self._display.say(f"ready: {', '.join(self._models.offered)}")
                return

    async def _load(self, model: Model) -> bool:
        """Load the model. Returns False if the worker was told to stop before it was there."""
        loading = asyncio.ensure_future(self._engine.load(model))
        stopping = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait((loading, stopping), return_when=asyncio.FIRST_COMPLETED)
            if not loading.done():
                return False
            loading.result()
        finally:
            for task in (loading, stopping):
                task.cancel()
            await asyncio.wait((loading, stopping))
        return True

    async def prove(self, max_deaths: int) -> None:
        """See the other models at work, one after the other between jobs; then offer them."""
        failures = Counter[str]()
        while True:
            if not self._models.unproven:
                with contextlib.suppress(TimeoutError):  # one that rested is to be proved again
                    async with asyncio.timeout(self._models.seconds_to_next() or None):
                        await self._changed.wait()
                self._changed.clear()
                continue
            name, model = next(iter(self._models.unproven.items()))
            try:
                await self._engine.load(model)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this model's
                self._count(name, error, failures, max_deaths)
            else:
                self._models.proved(name)
                self._display.say(f"ready: {name}")

    def _count(self, name: str, error: Exception, failures: Counter[str], max_deaths: int) -> None:
        """A model does not load. One that never will is dropped; any other rests after some."""
        failures[name] += 1
        log.warning("engine trouble", model=name, failures=failures[name], reason=str(error))
        if not isinstance(error, CannotLoad) and failures[name] < max_deaths:
            return
        del failures[name]
        was_seen = name in self._models.offered or isinstance(error, EngineEnded)
        if was_seen and not isinstance(error, CannotLoad):
            self._at_work.rest(name, error)
        else:
            self._at_work.drop(name, error)
