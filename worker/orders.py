"""Turns what a pop answers into an order for the renderer, and refuses what it cannot make."""

import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from core.wire.pop import GenerationPayloadStable, ModelPayloadStable
from worker import prompts
from worker.renderer import CannotRender, Checkpoint, Order, Source
from worker.samplers import SAMPLERS

SEEDS: Final = 2**32
IMG2IMG_STRENGTH: Final = 0.75
HIRES_STRENGTH: Final = 0.65
PAINTING: Final = ("inpainting", "outpainting")


@dataclass(frozen=True)
class Batch:
    """Jobs that were popped together.

    ids, seeds: one a picture, in the same order.
    uploads: where each picture goes; empty where it is to be sent with the submit.
    popped: when, by `time.monotonic()`.
    """

    ids: tuple[str, ...]
    seeds: tuple[int, ...]
    uploads: tuple[str, ...]
    model: str
    width: int
    height: int
    steps: int
    popped: float = field(default_factory=time.monotonic)

    @property
    def title(self) -> str:
        """A few words for people; no prompt, which is the requester's own business."""
        many = f" x{len(self.ids)}" if len(self.ids) > 1 else ""
        return f"{self.ids[0][:8]} {self.model} {self.width}x{self.height}{many} {self.steps} steps"


def batch(popped: GenerationPayloadStable) -> Batch:
    """Read which jobs were popped; there is at least one."""
    payload = popped.payload
    uploads = tuple(popped.r2_uploads or ())
    return Batch(
        ids=tuple(popped.ids),
        seeds=tuple(_seeds(payload, len(popped.ids))),
        uploads=uploads if len(uploads) == len(popped.ids) else (),
        model=popped.model or "",
        width=payload.width,
        height=payload.height,
        steps=payload.ddim_steps,
    )


def order(
    popped: GenerationPayloadStable,
    jobs: Batch,
    checkpoints: Mapping[str, Checkpoint],
    source: Source | None,
) -> Order:
    """Say what is to be rendered for popped jobs. Raises CannotRender."""
    payload = popped.payload
    checkpoint = checkpoints.get(jobs.model)
    if checkpoint is None:
        raise CannotRender(f"the model {jobs.model!r} is not served here")
    if wanted := ", ".join(_not_served(payload, popped)):
        raise CannotRender(f"not served here: {wanted}")
    positive, negative = prompts.split_negative(payload.prompt or "")
    usual = 1.0 if source is not None and source.painting else IMG2IMG_STRENGTH
    hires_strength = payload.hires_fix_denoising_strength or HIRES_STRENGTH
    return Order(
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
    )


def _seeds(payload: ModelPayloadStable, count: int) -> Iterator[int]:
    text = payload.seed or ""
    first = int(text) if text.isascii() and text.isdecimal() else secrets.randbelow(SEEDS)
    for index in range(count):
        yield (first + index * (payload.seed_variation or 1)) % SEEDS


def _not_served(payload: ModelPayloadStable, popped: GenerationPayloadStable) -> Iterator[str]:
    """What the offer has already declined; a server that sends it all the same is told so."""
    if payload.sampler_name not in SAMPLERS:
        yield f"the sampler {payload.sampler_name}"
    if popped.source_image is not None and popped.source_processing == "remix":
        yield "remix"
    for name in ("control_type", "post_processing", "loras", "tis", "workflow", "transparent"):
        if getattr(payload, name):
            yield name
