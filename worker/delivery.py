"""Brings results to the server: pictures, or the news that there will be none.

Every job that was popped is kept in hand until the server has heard about it.
"""

import asyncio
import base64
import time
from collections.abc import Sequence
from typing import Final

import structlog

from core.client import AlreadySubmitted, HordeClient, HordeError, JobGone
from core.wire.submit import GenerationMetadataStable, SubmitInputStable
from worker import pictures
from worker.orders import Batch
from worker.progress import Display
from worker.renderer import Picture, Rendered

GIVE_BACK_SECONDS: Final = 5.0
"""What a worker in a hurry has left for telling the server."""

log = structlog.get_logger(__name__)


class Delivery:
    """Submits batches, and knows which of their jobs are still in hand."""

    def __init__(self, client: HordeClient, display: Display) -> None:
        self._client = client
        self._display = display
        self._in_hand: dict[str, int] = {}  # job id -> seed

    def take(self, batch: Batch) -> None:
        """These jobs are in hand from now on."""
        self._in_hand.update(zip(batch.ids, batch.seeds, strict=True))

    async def pictures(self, batch: Batch, rendered: Rendered) -> None:
        """Upload and submit each picture of a batch."""
        earned, lost = 0.0, list[str]()
        for index, picture in enumerate(rendered.pictures):
            try:
                earned += await self._picture(batch, index, picture, rendered.notes)
            except HordeError as error:
                lost.append(str(error))
                if not isinstance(error, AlreadySubmitted | JobGone):
                    await self._fault(batch.ids[index], ())
            self._in_hand.pop(batch.ids[index], None)
        seconds = time.monotonic() - batch.popped
        outcome = f"{seconds:.1f} s, +{earned:.2f} kudos"
        if lost:
            outcome += f", {len(lost)} lost: {lost[0]}"
        self._display.end(batch, outcome)

    async def fault(
        self, batch: Batch, reason: str, notes: Sequence[GenerationMetadataStable] = ()
    ) -> None:
        """Tell the server that a batch failed, so that somebody else gets it."""
        log.warning("job faulted", jobs=batch.ids, model=batch.model, reason=reason)
        for job in batch.ids:
            await self._fault(job, notes)
        self._display.end(batch, f"faulted: {reason}")

    async def give_back(self) -> None:
        """Fault everything in hand, in a hurry."""
        try:
            async with asyncio.timeout(GIVE_BACK_SECONDS), asyncio.TaskGroup() as group:
                for job in list(self._in_hand):
                    group.create_task(self._fault(job, ()))
        except TimeoutError:
            log.warning("jobs not given back in time", jobs=list(self._in_hand))

    async def _picture(
        self,
        batch: Batch,
        index: int,
        picture: Picture,
        notes: Sequence[GenerationMetadataStable],
    ) -> float:
        """Deliver one picture, and give what it earned, in kudos (0 where that got lost)."""
        webp = await asyncio.to_thread(pictures.to_webp, picture)
        if batch.uploads:
            await self._client.upload(batch.uploads[index], webp)
            generation = "R2"
        else:
            generation = base64.b64encode(webp).decode()
        submitted = await self._client.submit(
            SubmitInputStable(
                id=batch.ids[index],
                generation=generation,
                seed=batch.seeds[index],
                state="ok",
                gen_metadata=list(notes),
            )
        )
        return 0.0 if submitted is None else submitted.reward

    async def _fault(self, job: str, notes: Sequence[GenerationMetadataStable]) -> None:
        """Fault one job; where even that fails, the server finds out by its deadline."""
        try:
            await self._client.submit(
                SubmitInputStable(
                    id=job,
                    generation="faulted",
                    seed=self._in_hand.get(job, 0),
                    state="faulted",
                    gen_metadata=list(notes),
                )
            )
        except HordeError as error:
            log.warning("fault not reported", job=job, reason=str(error))
        self._in_hand.pop(job, None)
