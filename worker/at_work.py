"""A batch at the engine: what comes of it is a result to deliver, or a fault to report."""

from collections.abc import Callable, Coroutine
from typing import Generic

import structlog

from worker.engine import Engine, EngineDied, EngineEnded
from worker.in_hand import InHand
from worker.kind import B, R, unexpected
from worker.line_up import Deadly, LineUp
from worker.progress import Display
from worker.renderer import BrokenResult, CannotLoad, CannotRender, Order, Shown, Stopped
from worker.wanted import Wanted

DEADLY = "the engine ended at it, more than once"

Telling = Coroutine[None, None, None]
"""What is to be told to the server, beside the next batch."""
log = structlog.get_logger(__name__)


class AtWork(Generic[B, R]):
    """Has batches made, and learns from it which models and jobs are trouble.

    lost: called where no model is left.
    """

    def __init__(
        self,
        engine: Engine,
        models: LineUp,
        in_hand: InHand[B, R],
        display: Display,
        *,
        lost: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._models = models
        self._in_hand = in_hand
        self._display = display
        self._lost = lost
        self._deadly = Deadly()

    async def render(self, batch: B, order: Order[R], rest: Callable[[float], None]) -> Telling:
        """Have a batch made; gives what is to be told to the server.

        rest: called with the seconds that the rest of it is expected to take.
        """
        if batch.model not in self._models.offered:
            return self._in_hand.fault(batch, "its model has just been dropped")
        if batch.likeness in self._deadly:
            return self._in_hand.fault(batch, DEADLY)
        wanted = self._in_hand.wanted(batch)

        def on_step(step: int, steps: int, shown: Shown | None = None) -> None:
            self._display.step(batch, step, steps)
            wanted.stepped(step, steps, shown)
            rest(wanted.expect(step, steps))

        self._display.begin(batch)
        wanted.began()
        try:
            result = await self._engine.render(order, on_step, stop=wanted.stop, show=wanted.show)
        except Exception as error:  # noqa: BLE001 - one job's fault is no other's
            return self._failed(batch, wanted, error)
        if getattr(result, "blank", 0):
            self._count_broken(batch.model, "it made a picture of one colour")
        else:
            self._models.succeeded(batch.model)
        return self._in_hand.deliver(batch, result)

    def fault(self, batch: B, error: Exception) -> Telling:
        """Tell the server that a batch cannot be made, for a reason that strangers may read."""
        if isinstance(error, CannotRender):
            return self._in_hand.fault(batch, error.reason, error.notes)
        log.error("job failed", jobs=batch.ids, model=batch.model, exc_info=error)
        return self._in_hand.fault(batch, unexpected(error))

    def drop(self, model: str, error: Exception) -> None:
        """Offer a model no more."""
        self._models.drop(model)
        self._display.say(f"{model} is not offered any more: {error}")
        if self._models.is_empty:
            self._lost()

    def rest(self, model: str, error: Exception) -> None:
        """Offer a model no more for a while."""
        self._say_rest(model, self._models.rest(model), str(error))

    def _failed(self, batch: B, wanted: Wanted, error: Exception) -> Telling:
        if isinstance(error, Stopped):
            why = str(error)
            if wanted.is_gone:
                return self._in_hand.drop(batch, why)
            self._count_broken(batch.model, why)  # too slow, or something behind it hangs
            return self._in_hand.fault(batch, why)
        if isinstance(error, CannotLoad):
            log.warning("a model does not load", model=batch.model, reason=str(error))
            self.drop(batch.model, error)
            return self._in_hand.fault(batch, "its model cannot be loaded")
        if isinstance(error, EngineDied):
            log.error("engine trouble", model=batch.model, reason=str(error))
            if not isinstance(error, EngineEnded):
                self._deadly.count(batch.likeness)
            self._say_rest(batch.model, self._models.died(batch.model), str(error))
            return self._in_hand.fault(batch, str(error))
        if isinstance(error, BrokenResult):
            self._count_broken(batch.model, error.reason)
        return self.fault(batch, error)

    def _count_broken(self, model: str, reason: str) -> None:
        log.warning("no result", model=model, reason=reason)
        self._say_rest(model, self._models.broke(model), reason)

    def _say_rest(self, model: str, minutes: float, reason: str) -> None:
        if minutes:
            self._display.say(f"{model} is not offered for {minutes:g} minutes: {reason}")
