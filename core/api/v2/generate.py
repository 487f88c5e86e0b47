"""`POST generate/async`: a request for pictures comes in."""

from collections.abc import Mapping
from dataclasses import replace

from quart import Blueprint

from core.api import asking, context
from core.api.operation import generating, operation
from core.api.styling import styled
from core.api.v2 import parameters
from core.catalog import models as catalog
from core.generation.pictures import InpaintingMissingMask
from core.generation.specs import RequestSpec
from core.images import webp
from core.kinds.image import ImageParams
from core.wire.generate import DryRun, GenerationInputStable, RequestAsync

blueprint = Blueprint("generate", __name__)


@blueprint.post("/generate/async")
@operation(
    body=GenerationInputStable,
    answers={202: RequestAsync, 200: DryRun},
    limit=generating,
    omit_nulls=True,
    key_required=True,
    errors=(400, 401, 403, 404, 429),
    headers={asking.KEY_HEADER: asking.KEY_DESCRIPTION},
)
async def generate_async(body: GenerationInputStable) -> RequestAsync | tuple[DryRun, int]:
    """Ask for pictures."""
    body, style = await styled(body, "image")
    asking.check_webhook(body.webhook)
    wanted = replace(_wanted(body), style=style, client_key=await asking.client_key())
    if body.dry_run:
        return await asking.price(wanted), 200
    sources = _sources(body, wanted.params)
    if not sources:
        return asking.answer(await asking.accept(wanted))
    admitted = await asking.admitted(wanted)
    pictures = {name: await asking.decoded(source) for name, source in sources.items()}
    _check_inpainting(wanted.params, pictures)
    return asking.answer(await asking.queue(admitted, pictures))


def _wanted(body: GenerationInputStable) -> RequestSpec[ImageParams]:
    default = context.server().settings.default_models
    params = body.params
    models = body.models if "models" in body.model_fields_set else default
    return RequestSpec(
        kind="image",
        prompt=body.prompt,
        params=parameters.of_request(body, catalog.defaults(models)),
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
        proxied_account=body.proxied_account,
        webhook=body.webhook,
        shared=body.shared,
        replacement_filter=body.replacement_filter,
    )


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
    if not webp.has_alpha(pictures[params.source_image]):
        raise InpaintingMissingMask(
            "Inpainting needs a mask, or a source image with transparent parts."
        )
