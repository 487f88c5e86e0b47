"""`POST generate/pop`: a worker asks for work, and may wait for it."""

import asyncio
import base64

from quart import Blueprint

from core.api import context
from core.api.context import Server
from core.api.limits import Limit
from core.api.operation import by_address, operation
from core.catalog import agents
from core.generation import pop
from core.generation.pop import Popped, Work
from core.generation.submit import picture_of
from core.wire.image import (
    ExtraSourceImage,
    ExtraText,
    ModelPayloadLorasStable,
    ModelPayloadTextualInversionsStable,
)
from core.wire.pop import (
    GenerationPayloadStable,
    ModelPayloadStable,
    NoValidRequestFoundStable,
    PopInputStable,
)
from core.workers.offers import Declared

blueprint = Blueprint("pop", __name__)

ALWAYS_TOLD = (
    "worker_id",
    "performance",
    "nsfw",
    "untrusted",
    "models",
    "bridge_version",
    "unsafe_ip",
    "img2img",
    "painting",
    "post-processing",
    "lora",
    "controlnet",
)
"""Skip reasons that are sent also where they are 0."""


@blueprint.post("/generate/pop")
@operation(
    body=PopInputStable,
    answers={200: GenerationPayloadStable},
    limit=by_address(Limit(60, 1)),
    key_required=True,
    errors=(400, 401, 403),
)
async def generate_pop(body: PopInputStable) -> GenerationPayloadStable:
    """Get work. With `wait`, the answer comes when there is some, or when the time is up."""
    server = context.server()
    declared = _declared(body)
    calls = server.horde.waiters.calls
    popped = await _pop(server, declared, body.amount)
    if popped.work is None and body.wait > 0:
        popped = await _wait(server, declared, body, popped, calls)
    return await _payload(server, popped, declared)


async def _pop(server: Server, declared: Declared, amount: int) -> Popped:
    async with server.database.writing() as session:
        owner = await context.user(session, renew=True)
        popped = await pop.pop(session, server.horde, owner, declared, amount=amount)
    if popped.work is None:
        pop.refuse_maintenance(popped.worker)
    await pop.announce(server.horde, popped)
    return popped


async def _wait(
    server: Server, declared: Declared, body: PopInputStable, popped: Popped, calls: int
) -> Popped:
    """Try again whenever work comes in that fits. No session is held meanwhile."""
    loop = asyncio.get_running_loop()
    until = loop.time() + body.wait
    worker = popped.worker
    line = server.horde.waiters.in_line(worker.offer, calls=calls, claims=not worker.paused)
    with line as waiter:
        while popped.work is None and (remaining := until - loop.time()) > 0:
            await waiter.wait(remaining)
            popped = await _pop(server, declared, body.amount)
    return popped


def _declared(body: PopInputStable) -> Declared:
    allowed = {
        "img2img": body.allow_img2img,
        "painting": body.allow_painting,
        "post-processing": body.allow_post_processing,
        "lora": body.allow_lora,
        "controlnet": body.allow_controlnet,
        "sdxl_controlnet": body.allow_sdxl_controlnet,
    }
    return Declared(
        kind="image",
        name=body.name,
        agent=body.bridge_agent,
        program=agents.agent(body.bridge_agent),
        threads=body.threads,
        models=body.models,
        permissions=frozenset(name for name, is_allowed in allowed.items() if is_allowed),
        nsfw=body.nsfw,
        extra_slow=body.extra_slow_worker,
        only_covered=body.require_upfront_kudos,
        blacklist=body.blacklist,
        priority_usernames=body.priority_usernames,
        max_pixels=body.max_pixels,
        limit_steps=body.limit_max_steps,
    )


async def _payload(server: Server, popped: Popped, declared: Declared) -> GenerationPayloadStable:
    work = popped.work
    if work is None:
        told = dict.fromkeys(ALWAYS_TOLD, 0) | popped.skipped
        return GenerationPayloadStable(skipped=NoValidRequestFoundStable.model_validate(told))
    store, params = server.horde.store, work.params
    uploads = [store.upload_url(picture_of(attempt_id)) for attempt_id in work.attempt_ids]
    ids = [str(attempt_id) for attempt_id in work.attempt_ids]
    by_url = "r2_source" in declared.program.features
    extras = [
        ExtraSourceImage(
            image=await _source(server, extra["image"], by_url=by_url), strength=extra["strength"]
        )
        for extra in params.extra_source_images
    ]
    return GenerationPayloadStable(
        payload=_parameters(work),
        id=ids[0],
        ids=ids,
        ttl=work.seconds,
        model=work.model,
        source_image=await _source(server, params.source_image, by_url=by_url),
        source_processing=params.source_processing,
        source_mask=await _source(server, params.source_mask, by_url=by_url),
        extra_source_images=extras or None,
        r2_upload=uploads[0],
        r2_uploads=uploads,
    )


async def _source(server: Server, name: str | None, *, by_url: bool) -> str | None:
    if name is None:
        return None
    if by_url:
        return server.horde.store.download_url(name)
    picture = await server.horde.store.get(name)
    return None if picture is None else base64.b64encode(picture).decode()


def _parameters(work: Work) -> ModelPayloadStable:
    params = work.params
    return ModelPayloadStable(
        prompt=work.prompt,
        ddim_steps=params.steps,
        n_iter=len(work.attempt_ids),
        use_nsfw_censor=params.use_nsfw_censor or None,
        seed=str(work.seed),
        control_type=params.control_type,
        image_is_control=params.image_is_control,
        return_control_map=params.return_control_map,
        extra_texts=[ExtraText(**text) for text in params.extra_texts] or None,
        sampler_name=params.sampler_name,
        cfg_scale=params.cfg_scale,
        denoising_strength=params.denoising_strength,
        hires_fix_denoising_strength=params.hires_fix_denoising_strength,
        height=params.height,
        width=params.width,
        post_processing=params.post_processing or None,
        karras=params.karras,
        tiling=params.tiling,
        hires_fix=params.hires_fix,
        clip_skip=params.clip_skip,
        facefixer_strength=params.facefixer_strength,
        loras=[ModelPayloadLorasStable(**lora) for lora in params.loras] or None,
        tis=[ModelPayloadTextualInversionsStable(**one) for one in params.tis] or None,
        special=params.special,
        workflow=params.workflow,
        transparent=params.transparent,
    )
