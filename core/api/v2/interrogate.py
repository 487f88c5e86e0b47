"""`interrogate`: forms of a picture, and the workers that serve them."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID, uuid4

from quart import Blueprint

from core.api import asking, callers, context, popping, submitting
from core.api.context import Server
from core.api.limits import Limit
from core.api.operation import by_address, by_path, operation
from core.catalog import agents
from core.errors import Invalid
from core.features import FORMS
from core.generation import cancel, status
from core.generation.delivery import UPLOADED, Delivery, picture_of
from core.generation.pop import Work
from core.generation.specs import RequestSpec
from core.generation.status import JobView
from core.images import webp
from core.images.failures import ImageValidationFailed
from core.kinds import alchemy
from core.kinds.alchemy import AlchemyParams
from core.kinds.params import is_url, with_plain_scheme
from core.outside.client import MAX_URL_CHARS
from core.queue import results
from core.queue.results import Result
from core.queue.tables import JobState
from core.wire.alchemy import (
    InterrogationFormResult,
    InterrogationFormStatus,
    InterrogationPopFormPayload,
    InterrogationPopInput,
    InterrogationPopPayload,
    InterrogationStatus,
    InterrogationSubmitInput,
    ModelInterrogationInputStable,
    NoValidInterrogationsFound,
    RequestInterrogationResponse,
)
from core.wire.submit import GenerationSubmitted
from core.wire.validation import InvalidBody
from core.workers.offers import Declared

blueprint = Blueprint("interrogate", __name__)

STATES = {
    JobState.WAITING: "waiting",
    JobState.PROCESSING: "processing",
    JobState.DONE: "done",
    JobState.FAULTED: "faulted",
    JobState.CANCELLED: "cancelled",
    JobState.EXPIRED: "cancelled",
}
ELSEWHERE_TILES = 1
"""The size that counts for a picture of which only the address is known."""


@blueprint.post("/interrogate/async")
@operation(
    body=ModelInterrogationInputStable,
    answers={202: RequestInterrogationResponse},
    limit=by_address(),
    omit_nulls=True,
    key_required=True,
    errors=(400, 401, 403, 429),
    headers={asking.KEY_HEADER: asking.KEY_DESCRIPTION},
)
async def interrogate(body: ModelInterrogationInputStable) -> RequestInterrogationResponse:
    """Ask for forms about a picture."""
    asking.check_webhook(body.webhook)
    forms = {form.name: form.model_dump(exclude_none=True) for form in body.forms}
    if not forms:
        raise Invalid("At least one form is needed.")
    if not body.source_image:
        raise InvalidBody({"source_image": "'source_image' is a required property"})
    source = body.source_image
    if is_url(source):
        source = with_plain_scheme(source)
        if len(source) > MAX_URL_CHARS:
            raise ImageValidationFailed("its URL is too long")
    params = AlchemyParams(source_image=source, tiles=ELSEWHERE_TILES, forms=list(forms.values()))
    wanted = RequestSpec(
        kind="alchemy",
        prompt="",
        params=params,
        n=len(forms),
        trusted_workers=body.trusted_workers,
        slow_workers=body.slow_workers,
        client_agent=context.client_agent(),
        webhook=body.webhook,
        client_key=await asking.client_key(),
    )
    if params.is_elsewhere:
        asked = await asking.accept(wanted)
        return RequestInterrogationResponse(id=str(asked.request_id))
    admitted = await asking.admitted(wanted)
    picture = await asking.decoded(source)
    alchemy.check_enlarged(webp.size_of(picture), forms)
    tiles, name = alchemy.tiles_of(*webp.size_of(picture)), f"{uuid4()}.webp"
    sized = replace(admitted.wanted, params=replace(params, source_image=name, tiles=tiles))
    asked = await asking.queue(admitted._replace(wanted=sized), {name: picture})
    return RequestInterrogationResponse(id=str(asked.request_id))


@blueprint.get("/interrogate/status/<request_id>")
@operation(answers={200: InterrogationStatus}, limit=by_path(Limit(10, 1)), errors=(404,))
async def get_status(request_id: str) -> InterrogationStatus:
    """See the status of the forms, and their results."""
    server = context.server()
    async with server.database.reading() as session:
        found = await status.look_whole(session, server.horde, request_id, kind="alchemy")
        jobs = await status.jobs_of(session, found.progress.request_id)
    return _status(server, jobs, found.results)


@blueprint.delete("/interrogate/status/<request_id>")
@operation(answers={200: InterrogationStatus}, limit=by_path(Limit(10, 1)), errors=(404,))
async def cancel_request(request_id: str) -> InterrogationStatus:
    """Cancel the waiting forms; the answer is the status after that."""
    server = context.server()
    async with callers.writing_to(request_id, kind="alchemy") as session:
        found = await status.look(session, server.horde, request_id, kind="alchemy")
        await cancel.cancel(session, found.progress.request_id)
        jobs = await status.jobs_of(session, found.progress.request_id)
        done = await results.of(session, found.progress.request_id)
    await server.horde.changed(found.progress.request_id, "cancelled")
    return _status(server, jobs, done)


@blueprint.post("/interrogate/pop")
@operation(
    body=InterrogationPopInput,
    answers={200: InterrogationPopPayload},
    limit=by_address(Limit(60, 1)),
    key_required=True,
    errors=(400, 401, 403),
)
async def pop(body: InterrogationPopInput) -> InterrogationPopPayload:
    """Get forms to fill. With `wait`, the answer comes once there are some."""
    declared = Declared(
        kind="alchemy",
        name=body.name,
        agent=body.bridge_agent,
        program=agents.agent(body.bridge_agent),
        threads=body.threads,
        priority_usernames=body.priority_usernames,
        forms=list(dict.fromkeys((*body.forms, *body.also))),
        max_tiles=body.max_tiles,
    )
    amount = max(1, min(body.amount, popping.MAX_JOBS))
    popped = await popping.popped(declared, amount=amount, wait=body.wait)
    if not popped.works:
        known = NoValidInterrogationsFound.model_fields
        told = {name: count for name, count in popped.skipped.items() if name in known}
        return InterrogationPopPayload(
            skipped=NoValidInterrogationsFound(**told), messages=popping.told(popped) or None
        )
    server = context.server()
    return InterrogationPopPayload(
        forms=[_form(server, work) for work in popped.works], messages=popping.told(popped) or None
    )


@blueprint.post("/interrogate/submit")
@operation(
    body=InterrogationSubmitInput,
    answers={200: GenerationSubmitted},
    limit=by_address(Limit(60, 1)),
    key_required=True,
    errors=(400, 401, 403, 404),
)
async def submit(body: InterrogationSubmitInput) -> GenerationSubmitted:
    """Deliver the result of a form, or give it back."""
    delivery = Delivery(
        job_id=body.id, state=body.state, form=body.result, given_reason=body.reason
    )
    job = await submitting.found(delivery, "alchemy")
    if not delivery.is_fault and UPLOADED in body.result.values():
        delivery = await submitting.with_picture(job, delivery)
    return await submitting.settled(job, delivery)


def _status(server: Server, jobs: list[JobView], done: Sequence[Result]) -> InterrogationStatus:
    by_number = {result.number: result for result in done}
    forms = [
        InterrogationFormStatus(
            form=alchemy.form_of(job.feature or ""),
            state=STATES[JobState(job.state)],
            result=_result(server, by_number[job.number]) if job.number in by_number else None,
            faults=job.faults or None,
            reason=job.reason,
        )
        for job in jobs
    ]
    return InterrogationStatus(state=_overall({form.state for form in forms}), forms=forms)


def _overall(states: set[str]) -> str:
    for only in ("faulted", "done", "cancelled"):
        if states == {only}:
            return only
    return next((state for state in ("processing", "waiting") if state in states), "partial")


def _result(server: Server, result: Result) -> InterrogationFormResult:
    """The form's result; a picture is a link, newly signed each time."""
    return {
        name: _link(server, result.attempt_id) if value == UPLOADED else value
        for name, value in (result.form or {}).items()
    }


def _link(server: Server, attempt_id: UUID) -> str:
    return server.horde.store.download_url(picture_of(attempt_id))


def _form(server: Server, work: Work) -> InterrogationPopFormPayload:
    params = work.params
    assert isinstance(params, AlchemyParams)  # noqa: S101 - the offer was for forms
    store, source = server.horde.store, params.source_image
    is_picture = work.model in FORMS and FORMS[work.model].makes_picture
    return InterrogationPopFormPayload(
        id=str(work.attempt_ids[0]),
        form=work.model,
        payload=params.forms[work.number].get("payload"),
        source_image=source if params.is_elsewhere else store.download_url(source),
        r2_upload=store.upload_url(picture_of(work.attempt_ids[0])) if is_picture else None,
    )
