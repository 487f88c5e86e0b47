"""Pictures on the wire: `generate/pop`, upload, `generate/submit`."""

import asyncio
import base64
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from core.client import HordeClient
from core.features import OURS, POST_PROCESSORS
from core.wire.pop import GenerationPayloadStable, PopInputStable
from core.wire.progress import ProgressHeard, ProgressInput
from core.wire.submit import UPLOADED, GenerationMetadataStable, SubmitInputStable
from worker import pictures
from worker.image import popped
from worker.image.control import WHOLE as WHOLE_CONTROL
from worker.image.control import Controls
from worker.image.inspection import TEXT_ONLY
from worker.image.library import Library, Needed
from worker.image.order import Checkpoint, Control, PictureOrder, Reference, Rendered, Source
from worker.image.popped import PictureBatch
from worker.kind import Haul, Parcel, fetched, ids_of, understood
from worker.post_processing import PostProcessor, is_stand_in
from worker.renderer import CannotRender, Model, information
from worker.safety import NOBODY, Policy

GPU_BATCH: Final = 4
WHOLE_POST_PROCESSING: Final = frozenset(
    name for name, processor in POST_PROCESSORS.items() if OURS in processor.since
)
"""All that our program can do where the weights are there."""
NOT_WITH_A_CODE: Final = "the source picture does not count with a QR code"
CENSORED: Final = GenerationMetadataStable(type="censorship", value="nsfw")


class Pictures:
    """One worker of pictures.

    offer: what every pop declares, without the models and the size of batches.
    batch: pictures of one request that are popped together; 0 lets the device decide: a GPU renders
        several in little more time than one, a CPU does not.
    processors: the post-processing that can be done here; more may come (`have`).
    safety: what is done about unsafe pictures.
    library: None where no adaptations and learned words are offered.
    controls: the networks for control types that are here.
    """

    name = "image"

    def __init__(
        self,
        client: HordeClient,
        offer: PopInputStable,
        *,
        batch: int = 0,
        processors: Mapping[str, PostProcessor] | None = None,
        safety: Policy = NOBODY,
        library: Library | None = None,
        controls: Controls | None = None,
    ) -> None:
        self._client = client
        self._library = library
        self._processors = dict(processors or {})
        self._controls = controls or Controls()
        self._also = frozenset[str]()  # what the last pop named of what there may be a part of
        self._asked = 1  # pictures at once, as in the last pop
        self.began = asyncio.Event()
        """Set with the first pop, when a model is ready."""
        self.change(offer, batch, safety)

    def change(self, offer: PopInputStable, batch: int, safety: Policy) -> None:
        """Offer this from the next pop on."""
        self._offer = offer.model_copy(update={"allow_lora": self._library is not None})
        self._batch = batch
        self._safety = safety

    def have(self, name: str, processor: PostProcessor) -> None:
        """Offer a post-processor from the next pop on: it was seen at work."""
        self._processors[name] = processor

    async def pop(self, models: Mapping[str, Model], *, device: str | None) -> Haul[PictureBatch]:
        """Pop pictures to make."""
        self.began.set()
        self._asked = self._batch or (1 if device == "cpu" else GPU_BATCH)
        redraws = not any(
            isinstance(one, Checkpoint) and one.family in TEXT_ONLY for one in models.values()
        )
        harmless = all(isinstance(one, Checkpoint) and one.harmless for one in models.values())
        update = {
            **self._in_part(models),
            "models": list(models),
            "allow_censoring": self._safety.serves or harmless,
            "amount": self._asked,
            "allow_img2img": self._offer.allow_img2img and redraws,
            "allow_painting": self._offer.allow_painting and redraws,
        }
        answer = await self._client.pop(self._offer.model_copy(update=update))
        ids = ids_of(answer)
        if not ids:
            return Haul(None, answer.messages)
        batch = understood(ids, lambda: popped.batch(answer))
        if self._safety.always and batch is not None:
            batch = replace(batch, shown=False)
        return Haul(batch, answer.messages)

    def _in_part(self, models: Mapping[str, Model]) -> dict[str, Any]:
        """What a pop says of that of which there may be a part: all of it, or what there is.

        Hordes that do not read `also` ask for nothing of which there is but a part.
        """
        processors = self._processors.keys() if self._offer.allow_post_processing else frozenset()
        genuine = {one for one in processors if not is_stand_in(self._processors[one])}
        painters = [one for one in models.values() if isinstance(one, Checkpoint)]
        controlled = frozenset[str]()
        if self._offer.allow_controlnet and len(painters) == len(models):
            controlled = self._controls.features(painters)
        self._also = frozenset(
            {*controlled, *self._of_pictures(painters), *_without_ground(painters)}
        )
        return {
            "allow_post_processing": genuine >= WHOLE_POST_PROCESSING,
            "allow_controlnet": controlled >= WHOLE_CONTROL,
            "also": sorted({*self._also, *(f"post:{name}" for name in processors)}),
        }

    def _of_pictures(self, painters: Iterable[Checkpoint]) -> Iterator[str]:
        """Say whether pictures can be remixed: of those models that could, all have to."""
        remixing = [one.remixes for one in painters if one.family in TEXT_ONLY]
        if self._offer.allow_img2img and remixing and all(remixing):
            yield from ("remix", "extra_source_images")

    async def order(self, batch: PictureBatch, models: Mapping[str, Model]) -> PictureOrder:
        """Fetch the source pictures, and make the order."""
        adapts = self._library is not None
        offer = popped.Offer(
            *(self._offer.max_pixels, self._asked, self._processors, self._safety),
            adapts=adapts,
            also=self._also,
        )
        popped.check(batch, models, offer)  # first, so that nothing is fetched in vain
        answer, source, references = batch.answer, None, list[Reference]()
        notes = list[GenerationMetadataStable]()
        control = await self._control(batch, models)
        if popped.is_remix(answer):
            references, notes = await self._references(answer)
        elif control is None:
            source = await self._source(answer)
        elif control.code and answer.source_image is not None:
            notes = [information(NOT_WITH_A_CODE)]
        needed = await self._needed(answer)
        made = popped.order(batch, models, source, offer, needed, control, references)
        return replace(made, notes=(*made.notes, *notes))

    async def _control(self, batch: PictureBatch, models: Mapping[str, Model]) -> Control | None:
        """Give what the pictures are to be held to."""
        answer, checkpoint = batch.answer, models.get(batch.model)
        if not isinstance(checkpoint, Checkpoint):
            raise CannotRender("its model has just been dropped")
        if answer.payload.workflow:
            return popped.code(batch, checkpoint, self._controls)
        if not answer.payload.control_type:
            return None
        if answer.source_image is None:
            raise CannotRender("a control type needs a source image")
        picture = await fetched(self._client, answer.source_image, "source_image")
        return popped.control(batch, picture, checkpoint, self._controls)

    async def _references(
        self, answer: GenerationPayloadStable
    ) -> tuple[list[Reference], list[GenerationMetadataStable]]:
        """Fetch a remix's pictures; extra ones that cannot be had are left out, and noted."""
        extras = [one for one in answer.extra_source_images or () if one.image is not None]
        strength = answer.payload.denoising_strength or 1.0
        wanted = [
            (answer.source_image or "", strength),
            *((one.image or "", one.strength) for one in extras),
        ]
        fetching = (
            fetched(self._client, place, "extra_source_images" if number else "source_image")
            for number, (place, _) in enumerate(wanted)
        )
        found = await asyncio.gather(*fetching, return_exceptions=True)
        references, notes = [], []
        for number, (one, (_, weight)) in enumerate(zip(found, wanted, strict=True)):
            if isinstance(one, bytes):
                references.append(Reference(one, weight))
            elif number and isinstance(one, CannotRender):
                notes += [note.model_copy(update={"ref": str(number - 1)}) for note in one.notes]
            else:
                raise one
        return references, notes

    async def _needed(self, answer: GenerationPayloadStable) -> Needed | None:
        return None if self._library is None else await self._library.needed(answer.payload)

    async def pack(self, batch: PictureBatch, index: int, result: Rendered) -> Parcel:
        """Encode one picture."""
        webp = await asyncio.to_thread(pictures.to_webp, result.pictures[index])
        is_held_back = index in result.held_back
        body = SubmitInputStable(
            id=batch.ids[index],
            generation=UPLOADED,
            seed=batch.seeds[index],
            state="censored" if is_held_back else "ok",
            gen_metadata=[*([CENSORED] if is_held_back else ()), *result.notes],
        )
        url = batch.uploads[index] if batch.uploads else None
        return Parcel(batch.ids[index], body.model_dump(mode="json", exclude_unset=True), webp, url)

    async def tell(self, said: ProgressInput) -> ProgressHeard:
        """Say how far jobs are."""
        return await self._client.progress(said)

    async def send(self, parcel: Parcel) -> float:
        """Upload and submit one picture."""
        body = SubmitInputStable.model_validate(parcel.body)
        if parcel.url is None:
            encoded = base64.b64encode(parcel.picture or b"").decode()
            body = body.model_copy(update={"generation": encoded})
        else:
            await self._client.upload(parcel.url, parcel.picture or b"")
        submitted = await self._client.submit(body)
        return 0.0 if submitted is None else submitted.reward

    async def fault(self, job: str, reason: str, notes: Sequence[GenerationMetadataStable]) -> None:
        """Give one picture back."""
        fault = SubmitInputStable(
            id=job,
            generation="faulted",
            seed=0,  # of none of the pictures
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


def _without_ground(painters: Collection[Checkpoint]) -> Iterator[str]:
    """Say whether transparent pictures can be made: things on grounds that can be taken away."""
    if painters and all(one.plain_ground for one in painters):
        yield "layer_diffuse"
