"""The jobs in hand: brings their results to the server, or the news that there will be none.

Every job that was popped is kept in hand until the server has heard about it, or cannot be told.
What goes wrong with one job is that job's affair: nothing here raises but when it is cancelled.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from typing import Final, Generic

import structlog

from core.client import AlreadySubmitted, HordeError, JobGone
from core.wire.submit import GenerationMetadataStable
from worker.escrow import Escrow
from worker.kind import B, Batch, Channel, R, unexpected
from worker.progress import Display
from worker.renderer import CannotRender

GIVE_BACK_SECONDS: Final = 5.0
"""What a worker in a hurry has left for telling the server."""
GIVEN_BACK: Final = "the worker stopped before it was done"

log = structlog.get_logger(__name__)


class InHand(Generic[B, R]):
    """Submits batches, and knows which jobs the server has not heard about."""

    def __init__(self, channel: Channel[B, R], display: Display, escrow: Escrow) -> None:
        self._channel = channel
        self._display = display
        self._escrow = escrow
        self._jobs: dict[str, None] = {}

    def take(self, jobs: Iterable[str]) -> None:
        """These jobs are in hand from now on."""
        self._jobs.update(dict.fromkeys(jobs))

    async def deliver(self, batch: B, result: R) -> None:
        """Submit each job of a batch that was made; what cannot be delivered is faulted."""
        earned, lost = 0.0, list[str]()
        for index, job in enumerate(batch.ids):
            try:
                earned += await self._channel.submit(batch, index, result)
            except (AlreadySubmitted, JobGone) as error:
                lost.append(str(error))
            except Exception as error:  # noqa: BLE001 - one job's bad luck is no other's
                lost.append(_told(error, batch))
                await self._fault(job, lost[-1], ())
            self._jobs.pop(job, None)
        seconds = time.monotonic() - batch.popped
        outcome = f"{seconds:.1f} s, {self._escrow.told(earned)}"
        if lost:
            outcome += f", {len(lost)} lost: {lost[0]}"
        self._display.settled(batch, earned, len(lost))
        self._display.end(batch, outcome)

    async def fault(
        self, batch: B, reason: str, notes: Sequence[GenerationMetadataStable] = ()
    ) -> None:
        """Tell the server that a batch failed and why, so that somebody else gets it."""
        await self.refuse(batch.ids, reason, notes)
        self._display.settled(batch, 0.0, len(batch.ids))
        self._display.end(batch, f"faulted: {reason}")

    async def refuse(
        self, jobs: Sequence[str], reason: str, notes: Sequence[GenerationMetadataStable] = ()
    ) -> None:
        """The same for jobs of which no more is known."""
        log.warning("job faulted", jobs=list(jobs), reason=reason)
        self.take(jobs)
        for job in jobs:
            await self._fault(job, reason, notes)

    async def give_back(self) -> None:
        """Fault everything in hand, in a hurry."""
        try:
            async with asyncio.timeout(GIVE_BACK_SECONDS), asyncio.TaskGroup() as group:
                for job in list(self._jobs):
                    group.create_task(self._fault(job, GIVEN_BACK, ()))
        except TimeoutError:
            log.warning("jobs not given back in time", jobs=list(self._jobs))

    async def _fault(
        self, job: str, reason: str, notes: Sequence[GenerationMetadataStable]
    ) -> None:
        """Fault one job; where even that fails, the server finds out by its deadline."""
        try:
            await self._channel.fault(job, reason, notes)
        except Exception as error:  # noqa: BLE001 - the other jobs are to be told about all the same
            log.warning("fault not reported", job=job, reason=str(error))
        self._jobs.pop(job, None)


def _told(error: Exception, batch: Batch) -> str:
    """Say why a result was not delivered."""
    if isinstance(error, HordeError):
        return f"the result could not be delivered: {error}"
    if isinstance(error, CannotRender):
        return error.reason
    log.error("result lost", jobs=batch.ids, model=batch.model, exc_info=error)
    return unexpected(error)
