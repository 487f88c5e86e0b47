"""`generate/text`: a request for texts comes in, is watched, and is served."""

from dataclasses import replace
from typing import Any

from quart import Blueprint

from core.api import asking, callers, context, popping, submitting
from core.api.limits import Limit
from core.api.operation import by_address, by_path, generating, operation
from core.api.styling import styled
from core.api.v2.watch import counts
from core.catalog import agents
from core.errors import Invalid
from core.generation import cancel, status, texts
from core.generation.delivery import Delivery
from core.generation.pop import Popped
from core.generation.specs import RequestSpec
from core.generation.status import Status
from core.kinds.text import TextParams
from core.queue.results import Result
from core.wire.generate import DryRun, RequestAsync
from core.wire.submit import GenerationSubmitted
from core.wire.text import (
    GenerationInputKobold,
    GenerationKobold,
    GenerationPayloadKobold,
    ModelPayloadKobold,
    NoValidRequestFoundKobold,
    PopInputKobold,
    ReportedMetadataKobold,
    RequestStatusKobold,
    SubmitInputKobold,
)
from core.workers.offers import Declared

blueprint = Blueprint("text", __name__)

OURS = {"n", "max_length", "max_context_length"}
"""Parameters that the server needs itself; the others are only for the worker."""


class ExtraImagesWithText(Invalid):
    """Source pictures for a text."""

    code = "InvalidExtraSourceImages."


@blueprint.post("/generate/text/async")
@operation(
    body=GenerationInputKobold,
    answers={202: RequestAsync, 200: DryRun},
    limit=generating,
    omit_nulls=True,
    key_required=True,
    errors=(400, 401, 403, 404, 429),
    headers={asking.KEY_HEADER: asking.KEY_DESCRIPTION},
)
async def generate_text(body: GenerationInputKobold) -> RequestAsync | tuple[DryRun, int]:
    """Ask for texts."""
    body, style = await styled(body, "text")
    asking.check_webhook(body.webhook)
    if body.extra_source_images:
        raise ExtraImagesWithText("Texts are written without source images.")
    wanted = replace(_wanted(body), style=style, client_key=await asking.client_key())
    if body.dry_run:
        return await asking.price(wanted), 200
    return asking.answer(await asking.accept(wanted))


@blueprint.get("/generate/text/status/<request_id>")
@operation(answers={200: RequestStatusKobold}, limit=by_path(Limit(60, 60)), errors=(404,))
async def get_status(request_id: str) -> RequestStatusKobold:
    """See the status of a request, with its finished texts."""
    server = context.server()
    async with server.database.reading() as session:
        found = await status.look_whole(session, server.horde, request_id, kind="text")
    return _status(found, [_generation(result) for result in found.results])


@blueprint.delete("/generate/text/status/<request_id>")
@operation(answers={200: RequestStatusKobold}, limit=by_path(Limit(60, 60)), errors=(404,))
async def cancel_request(request_id: str) -> RequestStatusKobold:
    """Cancel the waiting texts of a request; the answer is its status before."""
    server = context.server()
    async with callers.writing_to(request_id, kind="text") as session:
        found = await status.look_whole(session, server.horde, request_id, kind="text")
        await cancel.cancel(session, found.progress.request_id)
    await server.horde.changed(found.progress.request_id, "cancelled")
    return _status(found, [_generation(result) for result in found.results])


@blueprint.post("/generate/text/pop")
@operation(
    body=PopInputKobold,
    answers={200: GenerationPayloadKobold},
    limit=by_address(Limit(60, 1)),
    key_required=True,
    errors=(400, 401, 403),
)
async def pop(body: PopInputKobold) -> GenerationPayloadKobold:
    """Get texts to write. With `wait`, the answer comes once there are some."""
    declared = _declared(body)
    return _payload(await popping.popped(declared, amount=body.amount, wait=body.wait))


@blueprint.post("/generate/text/submit")
@operation(
    body=SubmitInputKobold,
    answers={200: GenerationSubmitted},
    limit=by_address(Limit(60, 1)),
    key_required=True,
    errors=(400, 401, 403, 404),
)
async def submit(body: SubmitInputKobold) -> GenerationSubmitted:
    """Deliver a text, or give the job back."""
    delivery = Delivery(
        job_id=body.id,
        seed=body.seed,
        state=body.state,
        metadata=submitting.metadata(body.gen_metadata),
        text=body.generation,
        given_reason=body.reason,
    )
    job = await submitting.found(delivery, "text")
    texts.check_delivery(job, delivery)
    return await submitting.settled(job, delivery)


def _wanted(body: GenerationInputKobold) -> RequestSpec[TextParams]:
    given = body.params
    return RequestSpec(
        kind="text",
        prompt=body.prompt,
        params=TextParams(
            max_length=given.max_length,
            max_context_length=given.max_context_length,
            softprompt=body.softprompt,
            sampling=given.model_dump(exclude_unset=True, exclude=OURS),
            disable_batching=body.disable_batching,
        ),
        n=given.n,
        models=body.models,
        trusted_workers=body.trusted_workers,
        validated_backends=body.validated_backends,
        slow_workers=body.slow_workers,
        extra_slow_workers=body.extra_slow_workers,
        workers=body.workers,
        worker_blacklist=body.worker_blacklist,
        allow_downgrade=body.allow_downgrade,
        client_agent=context.client_agent(),
        proxied_account=body.proxied_account,
        webhook=body.webhook,
    )


def _status(found: Status, generations: list[GenerationKobold]) -> RequestStatusKobold:
    return RequestStatusKobold(**counts(found), generations=generations)


def _generation(result: Result) -> GenerationKobold:
    return GenerationKobold(
        text=result.text or "",
        seed=result.seed,
        gen_metadata=[ReportedMetadataKobold(**entry) for entry in result.gen_metadata],
        worker_id=str(result.worker_id),
        worker_name=result.worker_name,
        model=result.model,
        state=result.state,
    )


def _declared(body: PopInputKobold) -> Declared:
    program = agents.agent(body.bridge_agent)
    if not body.allow_chat:
        program = program._replace(features=program.features - {agents.CHAT})
    return Declared(
        kind="text",
        name=body.name,
        agent=body.bridge_agent,
        program=program,
        threads=body.threads,
        models=body.models,
        nsfw=body.nsfw,
        extra_slow=body.extra_slow_worker,
        only_covered=body.require_upfront_kudos,
        priority_usernames=body.priority_usernames,
        max_length=body.max_length,
        max_context=body.max_context_length,
        softprompts=body.softprompts,
    )


def _payload(popped: Popped) -> GenerationPayloadKobold:
    work = popped.work
    if work is None:
        told: dict[str, Any] = {
            name: count
            for name, count in popped.skipped.items()
            if name in NoValidRequestFoundKobold.model_fields
        }
        return GenerationPayloadKobold(
            skipped=NoValidRequestFoundKobold(**told), messages=popping.told(popped)
        )
    assert isinstance(work.params, TextParams)  # noqa: S101 - the offer was for texts
    ids = [str(attempt_id) for attempt_id in work.attempt_ids]
    return GenerationPayloadKobold(
        payload=ModelPayloadKobold(
            prompt=work.prompt,
            n=1,
            max_length=work.params.max_length,
            max_context_length=work.params.max_context_length,
            **work.params.sampling,
        ),
        id=ids[0],
        ids=ids,
        ttl=work.seconds,
        softprompt=work.params.softprompt,
        model=work.model,
        messages=popping.told(popped),
    )
