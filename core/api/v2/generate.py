"""`POST generate/async`: a request for pictures comes in."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from uuid import uuid4

from quart import Blueprint

from core.api import context
from core.api.context import Server
from core.api.operation import generating, operation
from core.errors import Invalid
from core.generation import ask, quotes
from core.generation.quotes import ImageAsk
from core.images import checks
from core.kinds import image
from core.kinds.image import ImageParams
from core.wire.generate import DryRun, GenerationInputStable, RequestAsync, RequestSingleWarning
from core.wire.image import ModelGenerationInputStable
from core.wire.kudos import to_wire

blueprint = Blueprint("generate", __name__)


class SourceImageUrlInvalid(Invalid):
    """A source picture by URL; this server takes them as base64 only."""

    code = "SourceImageUrlInvalid"


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
    server = context.server()
    if body.webhook is not None and not body.webhook.startswith("https://"):
        raise Invalid("The webhook has to be an https URL.")
    wanted = _wanted(server, body)
    sources = _sources(body, wanted.params)
    pictures: dict[str, bytes] = {}
    if body.dry_run or sources:
        # Refused before any picture is decoded, and a price needs none.
        async with server.database.reading() as session:
            ask.check(await context.user(session), wanted)
        if body.dry_run:
            return DryRun(kudos=to_wire(quotes.quote(wanted).total)), 200
        pictures = {name: await _decoded(source) for name, source in sources.items()}
        _check_inpainting(wanted.params, pictures)
    async with _kept(server, pictures), server.database.writing() as session:
        user = await context.user(session, renew=True)
        ask.check(user, wanted)
        asked = await ask.ask(session, server.horde, user, wanted)
    await ask.announce(server.horde, asked)
    warnings = [RequestSingleWarning(code=w.code, message=w.message) for w in asked.warnings]
    nobody = next((w.message for w in asked.warnings if w.code == "NoAvailableWorker"), None)
    return RequestAsync(
        id=str(asked.request_id),
        kudos=to_wire(asked.price),
        message=nobody,
        warnings=warnings or None,
    )


def _wanted(server: Server, body: GenerationInputStable) -> ImageAsk:
    models = body.models if "models" in body.model_fields_set else server.settings.default_models
    params = body.params
    return ImageAsk(
        prompt=body.prompt,
        params=_params(body),
        n=params.n,
        models=models,
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
        use_nsfw_censor=body.censor_nsfw and not body.nsfw,
        disable_batching=body.disable_batching,
    )


def _steps(given: ModelGenerationInputStable) -> int:
    if given.control_type is None:
        return given.steps
    if "steps" not in given.model_fields_set:
        return image.CONTROL_STEPS
    return min(given.steps, image.MOST_CONTROL_STEPS)


def _place(source: str | None) -> str | None:
    """A name in the store for a source picture."""
    return None if source is None else f"{uuid4()}.webp"


def _sources(body: GenerationInputStable, params: ImageParams) -> dict[str, str]:
    """The source pictures as they were sent, by their names in the store."""
    sent = [(params.source_image, body.source_image), (params.source_mask, body.source_mask)]
    extras = zip(params.extra_source_images, body.extra_source_images, strict=True)
    sent += [(place["image"], extra.image) for place, extra in extras]
    return {name: text for name, text in sent if name is not None and text is not None}


async def _decoded(source: str) -> bytes:
    if source.startswith("http"):
        raise SourceImageUrlInvalid(
            "This server does not fetch source images by URL. Please send them as base64."
        )
    return await checks.decode_source(source)


def _check_inpainting(params: ImageParams, pictures: Mapping[str, bytes]) -> None:
    is_masked = params.source_processing != "inpainting" or params.source_mask is not None
    if is_masked or params.source_image is None:
        return
    if not checks.has_alpha(pictures[params.source_image]):
        raise ask.InpaintingMissingMask(
            "Inpainting needs a mask, or a source image with transparent parts."
        )


@asynccontextmanager
async def _kept(server: Server, pictures: Mapping[str, bytes]) -> AsyncIterator[None]:
    """Put pictures into the store; they are removed again where the block raises."""
    store = server.horde.store
    try:
        for name, picture in pictures.items():
            await store.put(name, picture)
        yield
    except BaseException:
        for name in pictures:
            await store.delete(name)
        raise
