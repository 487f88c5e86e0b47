"""Alchemy on the wire: `interrogate/pop`, upload, `interrogate/submit`."""

import asyncio
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from core.client import HordeClient
from core.features import FORMS
from core.wire.alchemy import (
    InterrogationPopFormPayload,
    InterrogationPopInput,
    InterrogationSubmitInput,
)
from core.wire.limits import MAX_REASON_CHARS
from core.wire.progress import ProgressHeard, ProgressInput
from core.wire.submit import UPLOADED, GenerationMetadataStable
from worker import pictures
from worker.alchemy.order import Answered, FormOrder
from worker.kind import Batch, Haul, Parcel, fetched
from worker.post_processing import is_stand_in
from worker.renderer import CannotRender, Model, Picture, information
from worker.upscaler import Upscaler

CPU_TILES: Final = 1
"""A form has 180 seconds; a CPU needs most of them to enlarge 512 x 512 pixels fourfold."""
STAND_IN_TILES: Final = 4
"""The same with the small network that ships."""
GPU_TILES: Final = 80
FORM_SECONDS: Final = 180.0
"""Until somebody else gets a form; the wire does not say it."""
NOTES: Final = "gen_metadata"
"""As with pictures, what is to be known of a result: here beside it, as the wire has no field."""
TILE: Final = 512
"""Pixels of a tile's side, as the horde counts them."""


@dataclass(frozen=True, kw_only=True)
class FormBatch(Batch):
    """One popped form. tiles: as many as were offered."""

    form: InterrogationPopFormPayload
    tiles: int


class Forms:
    """One worker of alchemy. offer: what every pop declares, without the forms."""

    name = "alchemy"

    def __init__(self, client: HordeClient, offer: InterrogationPopInput) -> None:
        self._client = client
        self._offer = offer

    def change(self, offer: InterrogationPopInput) -> None:
        """Offer this from the next pop on."""
        self._offer = offer

    async def pop(self, models: Mapping[str, Model], *, device: str | None) -> Haul[FormBatch]:
        """Pop a form; one at a time, whatever the device."""
        tiles = most_tiles(models.values(), device)
        stand_ins = [name for name, model in models.items() if is_stand_in(model)]
        update = {
            "forms": [name for name in models if name not in stand_ins],
            "also": stand_ins,
            "amount": 1,
            "max_tiles": tiles,
        }
        answer = await self._client.alchemy.pop(self._offer.model_copy(update=update))
        batch = None
        if answer.forms:
            form = answer.forms[0]
            batch = FormBatch(
                ids=tuple(dict.fromkeys(one.id for one in answer.forms)),
                model=form.form,
                work="of a picture",
                steps=1,
                likeness=f"{form.form} {form.payload} {form.source_image.partition('?')[0]}",
                ttl=FORM_SECONDS,
                form=form,
                tiles=tiles,
            )
        return Haul(batch, answer.messages or ())

    async def order(self, batch: FormBatch, models: Mapping[str, Model]) -> FormOrder:
        """Fetch the picture, and make the order."""
        model = models.get(batch.model)
        if model is None:
            raise CannotRender(f"the form {batch.model!r} is not served here")
        if len(batch.ids) > 1:
            raise CannotRender(f"{len(batch.ids)} forms at once, beyond the limit of 1")
        if FORMS[model.name].makes_picture and not batch.form.r2_upload:
            raise CannotRender("there is no place for the picture")
        picture = await fetched(self._client, batch.form.source_image, "source_image")
        if isinstance(model, Upscaler):
            check_size(pictures.size_of(picture), model.factor, tiles=batch.tiles)
        return FormOrder(model, picture)

    async def pack(self, batch: FormBatch, index: int, result: Answered) -> Parcel:
        """Give what is to be said, or encode the picture."""
        job, said, webp = batch.ids[index], result.result, None
        if isinstance(said, Picture):
            webp, said = await asyncio.to_thread(pictures.to_webp, said), UPLOADED
        answer = {batch.model: said}
        if result.note:
            answer[NOTES] = [information(result.note).model_dump(mode="json", exclude_unset=True)]
        body = InterrogationSubmitInput(id=job, result=answer, state="ok")
        url = batch.form.r2_upload or "" if webp is not None else None
        return Parcel(job, body.model_dump(mode="json", exclude_unset=True), webp, url)

    async def tell(self, said: ProgressInput) -> ProgressHeard:
        """Say how far jobs are."""
        return await self._client.progress(said)

    async def send(self, parcel: Parcel) -> float:
        """Submit the answer; a picture is uploaded first."""
        if parcel.picture is not None:
            await self._client.upload(parcel.url or "", parcel.picture)
        body = InterrogationSubmitInput.model_validate(parcel.body)
        submitted = await self._client.alchemy.submit(body)
        return 0.0 if submitted is None else submitted.reward

    async def fault(self, job: str, reason: str, notes: Sequence[GenerationMetadataStable]) -> None:
        """Give the form back; the wire has no field for notes about it."""
        del notes
        why = reason[:MAX_REASON_CHARS]
        await self._client.alchemy.submit(
            InterrogationSubmitInput(id=job, result={}, state="faulted", reason=why)
        )


def most_tiles(models: Iterable[Model], device: str | None) -> int:
    """Say how large a picture may be that any of these enlarge in the time that a form has."""
    if device != "cpu":
        return GPU_TILES
    enlarging = [one for one in models if isinstance(one, Upscaler)]
    return STAND_IN_TILES if all(map(is_stand_in, enlarging)) else CPU_TILES


def check_size(size: tuple[int, int], factor: int, *, tiles: int) -> None:
    """Check that a picture may be enlarged this many times here. Raises CannotRender.

    tiles: as many as were offered.
    """
    width, height = size
    here = math.ceil(width / TILE) * math.ceil(height / TILE)
    if here > tiles:
        raise CannotRender(f"a picture of {here} tiles, beyond the limit of {tiles}")
    if not pictures.fits(width * factor, height * factor):
        raise CannotRender(f"{width}x{height} enlarged {factor} times is too large for a picture")
