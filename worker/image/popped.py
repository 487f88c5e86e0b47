"""Reads the answer to a pop of pictures, and refuses what cannot be made here."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from core.wire.image import ModelPayloadRootStable, ModelPayloadStable
from core.wire.pop import GenerationPayloadStable
from core.wire.submit import GenerationMetadataStable
from worker.faces.fixer import FaceFixer
from worker.image import prompts
from worker.image.control import QR, Controls
from worker.image.inspection import TEXT_ONLY
from worker.image.library import Needed, with_added
from worker.image.order import Checkpoint, Control, PictureOrder, Reference, Source
from worker.image.samplers import SAMPLERS
from worker.kind import Batch, held_to, ids_of, likeness, shown
from worker.post_processing import PostProcessor
from worker.renderer import CannotRender, Model, information
from worker.safety import NOBODY, Checker, Policy
from worker.upscaler import Upscaler

SEEDS: Final = 2**32
IMG2IMG_STRENGTH: Final = 0.75
HIRES_STRENGTH: Final = 0.65
UNCHECKED: Final = "nobody looked whether this is safe for work: the worker has no safety checker"
QR_TEXT: Final = "qr_code"
"""The reference of the extra text that a QR code is to say."""
QR_STRENGTH: Final = 1.3
"""How strongly a picture is held to a code by default: more than to a map, or it cannot be read."""
PAINTING: Final = ("inpainting", "outpainting")
OTHERWISE_NAMED: Final = frozenset({"prompt", "ddim_steps", "n_iter", "use_nsfw_censor"})
"""Parameters of a pop that requests name differently, or do not have."""
MAX_STEPS: Final = 500
MAX_PROMPT_CHARS: Final = 100_000
"""The most characters of either that a request may have."""
MAX_SEED_DIGITS: Final = 1000
MAX_NAME_CHARS: Final = 40
"""The most characters of a refused name that are shown."""


@dataclass(frozen=True, kw_only=True)
class PictureBatch(Batch):
    """Pictures that were popped together.

    answer: the pop's.
    seeds: one for each picture, in the order of the ids.
    uploads: the URL for each picture; empty if they are sent with the submission.
    """

    answer: GenerationPayloadStable
    seeds: tuple[int, ...]
    uploads: tuple[str, ...]


def batch(answer: GenerationPayloadStable) -> PictureBatch:
    """Read popped jobs of any kind; `check` decides whether they can be made."""
    payload, ids = answer.payload, ids_of(answer)
    uploads = tuple(answer.r2_uploads or ([answer.r2_upload] if answer.r2_upload else ()))
    many = f" x{len(ids)}" if len(ids) > 1 else ""
    size = f"{shown(payload.width)}x{shown(payload.height)}"
    return PictureBatch(
        answer=answer,
        ids=ids,
        seeds=tuple(_seeds(payload, len(ids))),
        uploads=uploads if len(uploads) == len(ids) else (),
        model=answer.model or "",
        work=f"{size}{many} {shown(payload.ddim_steps)} steps",
        steps=payload.ddim_steps,
        likeness=likeness(answer.model, payload),
        ttl=answer.ttl,
        shown=not payload.use_nsfw_censor,
    )


@dataclass(frozen=True)
class Offer:
    """The limits that a pop offered. amount: of pictures at once."""

    max_pixels: int
    amount: int
    processors: Mapping[str, PostProcessor]
    safety: Policy = NOBODY
    adapts: bool = False
    also: frozenset[str] = frozenset()
    """What it named of that of which there may be a part."""


def check(jobs: PictureBatch, models: Mapping[str, Model], offer: Offer) -> None:
    """Check that no more is ordered than was offered. Raises CannotRender."""
    payload = jobs.answer.payload
    checkpoint = models.get(jobs.model)
    if not isinstance(checkpoint, Checkpoint):
        raise CannotRender(f"the model {jobs.model[:MAX_NAME_CHARS]!r} is not served here")
    if jobs.answer.source_image and checkpoint.family in TEXT_ONLY and not is_remix(jobs.answer):
        raise CannotRender(f"{jobs.model[:MAX_NAME_CHARS]} cannot start from a picture")
    if wanted := ", ".join(_not_served(jobs.answer, offer)):
        raise CannotRender(f"not served here: {wanted}")
    held_to(ModelPayloadRootStable, payload, exclude=OTHERWISE_NAMED)
    if not 1 <= payload.ddim_steps <= MAX_STEPS:
        raise CannotRender(f"{shown(payload.ddim_steps)} steps, not 1 to {MAX_STEPS}")
    if payload.width * payload.height > offer.max_pixels:
        size = f"{payload.width}x{payload.height}"
        raise CannotRender(f"{size} pixels, beyond the limit of {offer.max_pixels}")
    if payload.use_nsfw_censor and not (offer.safety.serves or checkpoint.harmless):
        raise CannotRender("nobody here can hold back unsafe pictures")
    if len(jobs.ids) > offer.amount:
        raise CannotRender(f"{len(jobs.ids)} pictures at once, beyond the limit of {offer.amount}")
    if len(payload.prompt or "") > MAX_PROMPT_CHARS:
        raise CannotRender(f"a prompt of {len(payload.prompt or '')} characters")
    if len(payload.seed or "") > MAX_SEED_DIGITS:
        raise CannotRender(f"a seed of {len(payload.seed or '')} characters")


def order(
    jobs: PictureBatch,
    models: Mapping[str, Model],
    source: Source | None,
    offer: Offer,
    needed: Needed | None = None,
    held_to_map: Control | None = None,
    references: Sequence[Reference] = (),
) -> PictureOrder:
    """Make the order for popped jobs that have passed `check`."""
    payload = jobs.answer.payload
    checkpoint = models.get(jobs.model)
    if not isinstance(checkpoint, Checkpoint):
        raise CannotRender("its model has just been dropped")
    positive, negative = prompts.split_negative(payload.prompt or "")
    needed = needed or Needed()
    checker, unchecked = _checked(payload, checkpoint, offer.safety)
    upscalers = (
        one
        for one in offer.processors.values()
        if isinstance(one, Upscaler) and not one.stand_in  # better than a filter for any picture
    )
    usual = 1.0 if source is not None and source.painting else IMG2IMG_STRENGTH
    hires_strength = payload.hires_fix_denoising_strength or HIRES_STRENGTH
    return PictureOrder(
        checkpoint=checkpoint,
        prompt=with_added(positive, needed.prompt[0]),
        negative=with_added(negative, needed.prompt[1]),
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
        control=held_to_map,
        references=tuple(references),
        transparent=payload.transparent,
        strength=payload.denoising_strength or usual,
        enlarger=checkpoint.enlarger or next(iter(upscalers), None),
        processors=tuple(_processors(payload, offer)),
        adaptations=needed.adaptations,
        words=needed.words,
        checker=checker,
        notes=(*needed.notes, *unchecked),
    )


def _processors(payload: ModelPayloadStable, offer: Offer) -> Iterator[PostProcessor]:
    for name in payload.post_processing or ():
        processor = offer.processors[name]
        if isinstance(processor, FaceFixer) and payload.facefixer_strength is not None:
            processor = replace(processor, strength=payload.facefixer_strength)
        yield processor


def _checked(
    payload: ModelPayloadStable, checkpoint: Checkpoint, safety: Policy
) -> tuple[Checker | None, tuple[GenerationMetadataStable, ...]]:
    """Say who is to check the pictures, and what the requester should know where nobody does."""
    if checkpoint.harmless or not (payload.use_nsfw_censor or safety.always):
        return None, ()
    if safety.checker is None and payload.use_nsfw_censor:
        return None, (information(UNCHECKED),)
    return safety.checker, ()


def _seeds(payload: ModelPayloadStable, count: int) -> Iterator[int]:
    text = payload.seed or ""
    is_number = text.isascii() and text.isdecimal() and len(text) <= MAX_SEED_DIGITS
    first = int(text) if is_number else secrets.randbelow(SEEDS)
    for index in range(count):
        yield (first + index * (payload.seed_variation or 1)) % SEEDS


def _control_features(payload: ModelPayloadStable) -> Iterator[str]:
    """Say what its control type needs, as an offer says it."""
    if payload.control_type:
        if not payload.return_control_map:
            yield f"control:{payload.control_type[:MAX_NAME_CHARS]}"
        if not payload.image_is_control:
            yield f"annotator:{payload.control_type[:MAX_NAME_CHARS]}"


def control(
    jobs: PictureBatch, picture: bytes, checkpoint: Checkpoint, controls: Controls
) -> Control:
    """Read what a picture is to be held to. `check` has seen that its network is here."""
    payload = jobs.answer.payload
    control_type = payload.control_type or ""
    network = None
    if not payload.return_control_map:
        network = controls.of(control_type, checkpoint)
        if network is None:
            raise CannotRender(f"the network for {control_type} has just been dropped")
    # With a control type, the contract's strength is the network's: nothing of the source is drawn.
    strength = payload.denoising_strength or 1.0
    return Control(control_type, picture, network, payload.image_is_control, strength)


def code(jobs: PictureBatch, checkpoint: Checkpoint, controls: Controls) -> Control:
    """Read what a QR code is to say. Raises CannotRender."""
    payload = jobs.answer.payload
    extra = payload.extra_texts or ()
    texts = [one.text for one in extra if one.text and one.reference == QR_TEXT]
    network = controls.of(QR, checkpoint)
    if network is None:
        raise CannotRender("the network for QR codes has just been dropped")
    if not texts:
        raise CannotRender(f"no extra text says what the code is to say ({QR_TEXT})")
    strength = payload.denoising_strength or QR_STRENGTH
    return Control(QR, b"", network, is_map=True, strength=strength, code=texts[0])


def is_remix(answer: GenerationPayloadStable) -> bool:
    """Whether pictures are to be parts of the prompt."""
    return answer.source_image is not None and answer.source_processing == "remix"


def _not_served(answer: GenerationPayloadStable, offer: Offer) -> Iterator[str]:
    """Features that the offer has declined; a server that sends them all the same is told so."""
    payload = answer.payload
    if payload.sampler_name not in SAMPLERS:
        yield f"the sampler {payload.sampler_name[:MAX_NAME_CHARS]}"
    if is_remix(answer) and "remix" not in offer.also:
        yield "remix"
    wanted = payload.post_processing or ()
    yield from (name[:MAX_NAME_CHARS] for name in wanted if name not in offer.processors)
    yield from (name for name in _control_features(payload) if name not in offer.also)
    if payload.workflow and payload.workflow not in offer.also:
        yield f"the workflow {payload.workflow[:MAX_NAME_CHARS]}"
    if payload.transparent and "layer_diffuse" not in offer.also:
        yield "transparent"
    for name in ("loras", "tis"):
        if getattr(payload, name) and not offer.adapts:
            yield name
