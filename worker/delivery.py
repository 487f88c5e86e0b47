"""Brings results to the server, or the news that there will be none.

Every job that was popped is kept in hand until the server has heard about it.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Final, Generic

import structlog

from core.client import AlreadySubmitted, HordeError, JobGone
from core.wire.submit import GenerationMetadataStable
from worker.kind import B, Kind, R
from worker.progress import Display

GIVE_BACK_SECONDS: Final = 5.0
"""What a worker in a hurry has left for telling the server."""

log = structlog.get_logger(__name__)


class Delivery(Generic[B, R]):
    """Submits batches, and knows which of their jobs are still in hand."""

    def __init__(self, kind: Kind[B, R], display: Display) -> None:
        self._kind = kind
        self._display = display
        self._in_hand: dict[str, tuple[B, int]] = {}  # job id -> its place in its batch

    def take(self, batch: B) -> None:
        """These jobs are in hand from now on."""
        self._in_hand.update({job: (batch, index) for index, job in enumerate(batch.ids)})

    async def results(self, batch: B, result: R) -> None:
        """Submit each job of a batch that was made."""
        earned, lost = 0.0, list[str]()
        for index, job in enumerate(batch.ids):
            try:
                earned += await self._kind.submit(batch, index, result)
            except HordeError as error:
                lost.append(str(error))
                if not isinstance(error, AlreadySubmitted | JobGone):
                    await self._fault(batch, index, ())
            self._in_hand.pop(job, None)
        seconds = time.monotonic() - batch.popped
        outcome = f"{seconds:.1f} s, +{earned:.2f} kudos"
        if lost:
            outcome += f", {len(lost)} lost: {lost[0]}"
        self._display.end(batch, outcome)

    async def fault(
        self, batch: B, reason: str, notes: Sequence[GenerationMetadataStable] = ()
    ) -> None:
        """Tell the server that a batch failed, so that somebody else gets it."""
        log.warning("job faulted", jobs=batch.ids, model=batch.model, reason=reason)
        for index in range(len(batch.ids)):
            await self._fault(batch, index, notes)
        self._display.end(batch, f"faulted: {reason}")

    async def give_back(self) -> None:
        """Fault everything in hand, in a hurry."""
        try:
            async with asyncio.timeout(GIVE_BACK_SECONDS), asyncio.TaskGroup() as group:
                for batch, index in list(self._in_hand.values()):
                    group.create_task(self._fault(batch, index, ()))
        except TimeoutError:
            log.warning("jobs not given back in time", jobs=list(self._in_hand))

    async def _fault(self, batch: B, index: int, notes: Sequence[GenerationMetadataStable]) -> None:
        """Fault one job; where even that fails, the server finds out by its deadline."""
        try:
            await self._kind.fault(batch, index, notes)
        except HordeError as error:
            log.warning("fault not reported", job=batch.ids[index], reason=str(error))
        self._in_hand.pop(batch.ids[index], None)
