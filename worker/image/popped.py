"""Reads what a pop of pictures answers, and refuses what cannot be made here."""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from core.wire.image import ModelPayloadStable
from core.wire.pop import GenerationPayloadStable
from worker.image import prompts
from worker.image.order import Checkpoint, PictureOrder, Source
from worker.image.samplers import SAMPLERS
from worker.kind import Batch
from worker.renderer import CannotRender, Model
from worker.upscaler import Upscaler

SEEDS: Final = 2**32
IMG2IMG_STRENGTH: Final = 0.75
HIRES_STRENGTH: Final = 0.65
PAINTING: Final = ("inpainting", "outpainting")


@dataclass(frozen=True, kw_only=True)
class PictureBatch(Batch):
    """Pictures that were popped together.

    answer: the pop's.
    seeds: one a picture, in the order of the ids.
    uploads: where each picture goes; empty where it is to be sent with the submit.
    """

    answer: GenerationPayloadStable
    seeds: tuple[int, ...]
    uploads: tuple[str, ...]


def batch(answer: GenerationPayloadStable) -> PictureBatch:
    """Read which jobs were popped; there is at least one."""
    payload = answer.payload
    uploads = tuple(answer.r2_uploads or ())
    many = f" x{len(answer.ids)}" if len(answer.ids) > 1 else ""
    return PictureBatch(
        answer=answer,
        ids=tuple(answer.ids),
        seeds=tuple(_seeds(payload, len(answer.ids))),
        uploads=uploads if len(uploads) == len(answer.ids) else (),
        model=answer.model or "",
        work=f"{payload.width}x{payload.height}{many} {payload.ddim_steps} steps",
        steps=payload.ddim_steps,
    )


def order(
    jobs: PictureBatch,
    models: Mapping[str, Model],
    source: Source | None,
    upscalers: Mapping[str, Upscaler],
) -> PictureOrder:
    """Say what is to be rendered for popped jobs. Raises CannotRender."""
    payload = jobs.answer.payload
    checkpoint = models.get(jobs.model)
    if not isinstance(checkpoint, Checkpoint):
        raise CannotRender(f"the model {jobs.model!r} is not served here")
    if wanted := ", ".join(_not_served(jobs.answer, upscalers)):
        raise CannotRender(f"not served here: {wanted}")
    positive, negative = prompts.split_negative(payload.prompt or "")
    usual = 1.0 if source is not None and source.painting else IMG2IMG_STRENGTH
    hires_strength = payload.hires_fix_denoising_strength or HIRES_STRENGTH
    return PictureOrder(
        checkpoint=checkpoint,
        prompt=positive,
        negative=negative,
        width=payload.width,
        height=payload.height,
        steps=payload.ddim_steps,
        cfg_scale=payload.cfg_scale,
        sampler=payload.sampler_name,
        karras=payload.karras,
        seeds=jobs.seeds,
        clip_skip=payload.clip_skip or 1,
        tiling=payload.tiling,
        hires_strength=hires_strength if payload.hires_fix else None,
        source=source,
        strength=payload.denoising_strength or usual,
        enlarger=next(iter(upscalers.values()), None),
        upscalers=tuple(upscalers[name] for name in payload.post_processing or ()),
    )


def _seeds(payload: ModelPayloadStable, count: int) -> Iterator[int]:
    text = payload.seed or ""
    first = int(text) if text.isascii() and text.isdecimal() else secrets.randbelow(SEEDS)
    for index in range(count):
        yield (first + index * (payload.seed_variation or 1)) % SEEDS


def _not_served(
    answer: GenerationPayloadStable, upscalers: Mapping[str, Upscaler]
) -> Iterator[str]:
    """What the offer has already declined; a server that sends it all the same is told so."""
    payload = answer.payload
    if payload.sampler_name not in SAMPLERS:
        yield f"the sampler {payload.sampler_name}"
    if answer.source_image is not None and answer.source_processing == "remix":
        yield "remix"
    yield from (name for name in payload.post_processing or () if name not in upscalers)
    for name in ("control_type", "loras", "tis", "workflow", "transparent"):
        if getattr(payload, name):
            yield name
