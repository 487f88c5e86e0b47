"""`POST generate/async`: a request for pictures comes in."""

from collections.abc import Mapping
from dataclasses import replace
from uuid import uuid4

from quart import Blueprint

from core.api import asking, context
from core.api.operation import generating, operation
from core.api.styling import styled
from core.generation import ask
from core.generation.specs import RequestSpec
from core.images import checks
from core.kinds import image
from core.kinds.image import ImageParams
from core.wire.generate import DryRun, GenerationInputStable, RequestAsync
from core.wire.image import ModelGenerationInputStable

blueprint = Blueprint("generate", __name__)


@blueprint.post("/generate/async")
@operation(
    body=GenerationInputStable,
    answers={202: RequestAsync, 200: DryRun},
    limit=generating,
    omit_nulls=True,
    key_required=True,
    errors=(400, 401, 403, 404, 429),
)
async def generate_async(body: GenerationInputStable) -> RequestAsync | tuple[DryRun, int]:
    """Ask for pictures."""
    body, style = await styled(body, "image")
    asking.check_webhook(body.webhook)
    wanted = replace(_wanted(body), style=style)
    if body.dry_run:
        return await asking.price(wanted), 200
    sources = _sources(body, wanted.params)
    pictures: dict[str, bytes] = {}
    if sources:
        await asking.check(wanted)
        pictures = {name: await asking.decoded(source) for name, source in sources.items()}
        _check_inpainting(wanted.params, pictures)
    return asking.answer(await asking.accept(wanted, pictures))


def _wanted(body: GenerationInputStable) -> RequestSpec[ImageParams]:
    default = context.server().settings.default_models
    params = body.params
    return RequestSpec(
        kind="image",
        prompt=body.prompt,
        params=_params(body),
        n=params.n,
        models=body.models if "models" in body.model_fields_set else default,
        seed=params.seed,
        seed_variation=params.seed_variation,
        nsfw=body.nsfw,
        trusted_workers=body.trusted_workers,
        slow_workers=body.slow_workers,
        extra_slow_workers=body.extra_slow_workers,
        workers=body.workers,
        worker_blacklist=body.worker_blacklist,
        allow_downgrade=body.allow_downgrade,
        client_agent=context.client_agent(),
        proxied_account=body.proxied_account,
        webhook=body.webhook,
        shared=body.shared,
        replacement_filter=body.replacement_filter,
    )


def _params(body: GenerationInputStable) -> ImageParams:
    """The domain's parameters; source pictures get their places in the store, not yet put there."""
    given = body.params
    return ImageParams(
        width=given.width,
        height=given.height,
        steps=_steps(given),
        sampler_name=given.sampler_name,
        cfg_scale=given.cfg_scale,
        karras=given.karras,
        tiling=given.tiling,
        hires_fix=given.hires_fix,
        hires_fix_denoising_strength=given.hires_fix_denoising_strength,
        denoising_strength=given.denoising_strength,
        clip_skip=given.clip_skip,
        facefixer_strength=given.facefixer_strength,
        post_processing=list(given.post_processing),
        control_type=given.control_type,
        image_is_control=given.image_is_control,
        return_control_map=given.return_control_map,
        loras=[lora.model_dump() for lora in given.loras],
        tis=[inversion.model_dump() for inversion in given.tis],
        special=given.special,
        workflow=given.workflow,
        extra_texts=[text.model_dump() for text in given.extra_texts],
        transparent=given.transparent,
        source_processing=body.source_processing,
        source_image=_place(body.source_image),
        source_mask=_place(body.source_mask),
        extra_source_images=[
            {"image": _place(extra.image), "strength": extra.strength}
            for extra in body.extra_source_images
        ],
        r2=body.r2,
        r2_named="r2" in body.model_fields_set,
        use_nsfw_censor=body.censor_nsfw and not body.nsfw,
        disable_batching=body.disable_batching,
    )


def _steps(given: ModelGenerationInputStable) -> int:
    if given.control_type is None:
        return given.steps
    if "steps" not in given.model_fields_set:
        return image.CONTROL_STEPS
    return min(given.steps, image.MAX_CONTROL_STEPS)


def _place(source: str | None) -> str | None:
    """A name in the store for a source picture."""
    return None if source is None else f"{uuid4()}.webp"


def _sources(body: GenerationInputStable, params: ImageParams) -> dict[str, str]:
    """The source pictures as they were sent, by their names in the store."""
    sent = [(params.source_image, body.source_image), (params.source_mask, body.source_mask)]
    extras = zip(params.extra_source_images, body.extra_source_images, strict=True)
    sent += [(place["image"], extra.image) for place, extra in extras]
    return {name: text for name, text in sent if name is not None and text is not None}


def _check_inpainting(params: ImageParams, pictures: Mapping[str, bytes]) -> None:
    is_masked = params.source_processing != "inpainting" or params.source_mask is not None
    if is_masked or params.source_image is None:
        return
    if not checks.has_alpha(pictures[params.source_image]):
        raise ask.InpaintingMissingMask(
            "Inpainting needs a mask, or a source image with transparent parts."
        )
