"""`POST generate/pop`: a worker asks for work, and may wait for it."""

import base64

from quart import Blueprint

from core.api import context, links, popping
from core.api.context import Server
from core.api.limits import Limit
from core.api.operation import by_address, operation
from core.api.v2 import parameters
from core.catalog import agents
from core.catalog.agents import Agent
from core.features import OURS
from core.generation.delivery import picture_of
from core.generation.pop import Popped, Work
from core.kinds.image import ImageParams
from core.wire.image import ExtraSourceImage
from core.wire.pop import (
    GenerationPayloadStable,
    NoValidRequestFoundStable,
    PopInputStable,
)
from core.workers import offers
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
"""Skip reasons that are sent even if they are 0."""


@blueprint.post("/generate/pop")
@operation(
    body=PopInputStable,
    answers={200: GenerationPayloadStable},
    limit=by_address(Limit(60, 1)),
    key_required=True,
    errors=(400, 401, 403),
)
async def generate_pop(body: PopInputStable) -> GenerationPayloadStable:
    """Get work. With `wait`, the answer comes once there is some, or when the time is up."""
    declared = _declared(body)
    popped = await popping.popped(declared, amount=body.amount, wait=body.wait)
    return await _payload(context.server(), popped, declared)


def _declared(body: PopInputStable) -> Declared:
    allowed = {
        "img2img": body.allow_img2img,
        "painting": body.allow_painting,
        "post-processing": body.allow_post_processing,
        "lora": body.allow_lora,
        "controlnet": body.allow_controlnet,
        "sdxl_controlnet": body.allow_sdxl_controlnet,
    }
    program, in_part = offers.in_part(_program(body), allowed, body.also)
    return Declared(
        kind="image",
        name=body.name,
        agent=body.bridge_agent,
        program=program,
        threads=body.threads,
        models=body.models,
        permissions=in_part.union(name for name, is_allowed in allowed.items() if is_allowed),
        nsfw=body.nsfw,
        censors=body.allow_censoring,
        extra_slow=body.extra_slow_worker,
        only_covered=body.require_upfront_kudos,
        blacklist=body.blacklist,
        priority_usernames=body.priority_usernames,
        max_pixels=body.max_pixels,
        limit_steps=body.limit_max_steps,
    )


def _program(body: PopInputStable) -> Agent:
    """The worker's program, with the features that this worker has.

    Of ours, `allow_lora` says whether learned words are served, too, and QR codes are drawn where
    `also` names them, as no switch does.
    """
    program = agents.agent(body.bridge_agent)
    if program.name != OURS:
        return program
    lacks = {"textual_inversion"} if not body.allow_lora else set()
    lacks |= {"qr_code"} - set(body.also)
    return program._replace(features=program.features - lacks)


async def _payload(server: Server, popped: Popped, declared: Declared) -> GenerationPayloadStable:
    work = popped.work
    if work is None:
        skipped = dict.fromkeys(ALWAYS_TOLD, 0) | popped.skipped
        return GenerationPayloadStable(
            skipped=NoValidRequestFoundStable.model_validate(skipped),
            messages=popping.told(popped),
        )
    store, params = server.horde.store, _params(work)
    uploads = [store.upload_url(picture_of(attempt_id)) for attempt_id in work.attempt_ids]
    ids = [str(attempt_id) for attempt_id in work.attempt_ids]
    settings = server.settings
    by_url = links.source_by_link(settings.image_delivery, settings.base_url, declared.program)
    extras = [
        ExtraSourceImage(
            image=await _source(server, extra["image"], by_url=by_url), strength=extra["strength"]
        )
        for extra in params.extra_source_images
    ]
    return GenerationPayloadStable(
        payload=parameters.of_work(work),
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
        messages=popping.told(popped),
    )


async def _source(server: Server, name: str | None, *, by_url: bool) -> str | None:
    if name is None:
        return None
    if by_url:
        return server.horde.store.download_url(name)
    picture = await server.horde.store.get(name)
    return None if picture is None else base64.b64encode(picture).decode()


def _params(work: Work) -> ImageParams:
    assert isinstance(work.params, ImageParams)  # noqa: S101 - the offer was for pictures
    return work.params
