"""Pictures on the wire: `generate/pop`, upload, `generate/submit`."""

import asyncio
import base64
from collections.abc import Mapping, Sequence
from typing import Final

from core.client import HordeClient
from core.wire.pop import GenerationPayloadStable, PopInputStable
from core.wire.submit import UPLOADED, GenerationMetadataStable, SubmitInputStable
from worker import pictures
from worker.image import popped
from worker.image.order import PictureOrder, Rendered, Source
from worker.image.popped import PictureBatch
from worker.kind import Haul, fetched, ids_of, understood
from worker.renderer import Model, information
from worker.upscaler import FACTORS, Upscaler

GPU_BATCH: Final = 4


class Pictures:
    """One worker of pictures.

    offer: what every pop says, but for the models and the size of batches.
    batch: pictures of one request that are popped together; 0 is for the device to say: a GPU
        renders several in little more time than one, a CPU does not.
    upscalers: those whose weights are here. Post-processing is offered where none is missing: a pop
        has no word for having some.
    """

    def __init__(
        self,
        client: HordeClient,
        offer: PopInputStable,
        *,
        batch: int = 0,
        upscalers: Mapping[str, Upscaler] | None = None,
    ) -> None:
        self._client = client
        self._upscalers = dict(upscalers or {})
        self._asked = 1  # pictures at once, by the last pop
        self.change(offer, batch)

    def change(self, offer: PopInputStable, batch: int) -> None:
        """Offer this from the next pop on."""
        served = offer.allow_post_processing and self._upscalers.keys() == FACTORS.keys()
        self._offer = offer.model_copy(update={"allow_post_processing": served})
        self._batch = batch

    async def pop(self, models: Sequence[str], *, device: str | None) -> Haul[PictureBatch]:
        """Ask for pictures to make."""
        self._asked = self._batch or (1 if device == "cpu" else GPU_BATCH)
        update = {"models": list(models), "amount": self._asked}
        answer = await self._client.pop(self._offer.model_copy(update=update))
        ids = ids_of(answer)
        if not ids:
            return Haul(None, answer.messages)
        return Haul(understood(ids, lambda: popped.batch(answer)), answer.messages)

    async def order(self, batch: PictureBatch, models: Mapping[str, Model]) -> PictureOrder:
        """Fetch the source pictures, and say what is to be rendered."""
        offer = popped.Offer(self._offer.max_pixels, self._asked, self._upscalers)
        popped.check(batch, models, offer)  # first: nothing is fetched for what is never made
        source = await self._source(batch.answer)
        return popped.order(batch, models, source, self._upscalers)

    async def submit(self, batch: PictureBatch, index: int, result: Rendered) -> float:
        """Upload and submit one picture."""
        webp = await asyncio.to_thread(pictures.to_webp, result.pictures[index])
        if batch.uploads:
            await self._client.upload(batch.uploads[index], webp)
            generation = UPLOADED
        else:
            generation = base64.b64encode(webp).decode()
        submitted = await self._client.submit(
            SubmitInputStable(
                id=batch.ids[index],
                generation=generation,
                seed=batch.seeds[index],
                state="ok",
                gen_metadata=list(result.notes),
            )
        )
        return 0.0 if submitted is None else submitted.reward

    async def fault(self, job: str, reason: str, notes: Sequence[GenerationMetadataStable]) -> None:
        """Give one picture back."""
        fault = SubmitInputStable(
            id=job,
            generation="faulted",
            seed=0,  # of no picture
            state="faulted",
            gen_metadata=[*notes, information(reason)],
        )
        await self._client.submit(fault)

    async def _source(self, answer: GenerationPayloadStable) -> Source | None:
        if answer.source_image is None:
            return None
        picture = await fetched(self._client, answer.source_image, "source_image")
        mask = None
        if answer.source_mask is not None:
            mask = await fetched(self._client, answer.source_mask, "source_mask")
        return Source(
            picture,
            mask,
            painting=answer.source_processing in popped.PAINTING,
            outwards=answer.source_processing == "outpainting",
        )
