"""`generate/check`, `generate/status` and `generate/events`: watching a request, cancelling it.

No key is needed: anybody who knows a request's id may see and cancel it.
"""

import base64
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from quart import Blueprint, Response, current_app, has_request_context

from core.api import callers, context, inline, limits, links
from core.api.caches import TtlCache
from core.api.context import Server
from core.api.hubs import View
from core.api.inline import GONE
from core.api.limits import Limit
from core.api.operation import by_path, operation
from core.api.streams import EXTENSION as STREAMS
from core.api.streams import STREAM_SECONDS, Streams
from core.generation import cancel, status
from core.generation.delivery import picture_of
from core.generation.status import Status
from core.queue import results
from core.queue.results import Result
from core.queue.tables import JobState
from core.wire import events
from core.wire.events import EndEvent, GenerationEvent, JobProgress, ProgressEvent, StatusEvent
from core.wire.generate import (
    GenerationStable,
    JobFault,
    ReportedMetadata,
    RequestStatusCheck,
    RequestStatusStable,
)
from core.wire.kudos import to_whole, to_wire

blueprint = Blueprint("watch", __name__)

CHECK_SECONDS = 1.0
ANSWER_SECONDS = 90.0
"""How long reading the end of a stream may take."""

CHECKS = "recent_checks"


@blueprint.get("/generate/check/<request_id>")
@operation(answers={200: RequestStatusCheck}, limit=by_path(Limit(10, 1)), errors=(404,))
async def check(request_id: str) -> RequestStatusCheck:
    """See the status of a request."""
    recent: TtlCache[RequestStatusCheck] = current_app.extensions[CHECKS]
    if (known := recent.get(request_id)) is not None:
        return known
    server = context.server()
    async with server.database.reading() as session:
        found = await status.look(session, server.horde, request_id)
    return recent.put(request_id, RequestStatusCheck(**counts(found)))


@blueprint.get("/generate/status/<request_id>")
@operation(answers={200: RequestStatusStable}, limit=by_path(Limit(10, 60)), errors=(404,))
async def get_status(request_id: str) -> RequestStatusStable:
    """Get the status of a request, with its finished pictures."""
    server = context.server()
    async with server.database.reading() as session:
        found = await status.look_whole(session, server.horde, request_id, kind="image")
    return await _status(server, found)


@blueprint.delete("/generate/status/<request_id>")
@operation(answers={200: RequestStatusStable}, limit=by_path(Limit(10, 60)), errors=(404,))
async def cancel_request(request_id: str) -> RequestStatusStable:
    """Cancel the waiting pictures of a request; the answer is its status before."""
    server = context.server()
    async with callers.writing_to(request_id, kind="image") as session:
        found = await status.look_whole(session, server.horde, request_id, kind="image")
        await cancel.cancel(session, found.progress.request_id)
    await server.horde.changed(found.progress.request_id, "cancelled")
    return await _status(server, found)


@blueprint.get("/generate/events/<request_id>")
@operation(
    answers={200: StatusEvent | GenerationEvent | ProgressEvent | EndEvent},
    limit=by_path(Limit(10, 1)),
    errors=(404,),
)
async def watch(request_id: str) -> Response:
    """Watch a request: position, job states and pictures are pushed as they change."""
    streams: Streams = current_app.extensions[STREAMS]
    found, address = status.parsed(request_id), limits.network(context.address())
    relaxed = context.is_relaxed()
    streams.check(address, relaxed=relaxed)
    await streams.hubs.look(found)  # 404 before the stream begins
    streams.check(address, relaxed=relaxed)
    response = Response(
        streams.events(found, address, relaxed=relaxed),
        headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
        content_type="text/event-stream",
    )
    response.timeout = STREAM_SECONDS + ANSWER_SECONDS
    return response


async def look(server: Server, request_id: UUID, before: View | None) -> View:
    """The view of a request for everybody who watches it.

    Only pictures are events; texts and forms are fetched when the request is over.
    """
    known = before.pictures if before is not None else {}
    done: Sequence[Result] = ()
    async with server.database.reading() as session:
        found = await status.look(session, server.horde, str(request_id))
        jobs = await status.jobs_of(session, found.progress.request_id)
        if found.progress.kind == "image" and found.progress.finished > len(known):
            done = await results.of(session, found.progress.request_id)
    new = {str(one.attempt_id): partial(_event, server, found, one) for one in done}
    progress = [
        JobProgress(
            index=job.number,
            state=JobState(job.state).name.lower(),
            worker_id=str(job.worker_id) if job.worker_id else None,
            worker_name=job.worker_name,
            faults=job.faults or None,
            reason=job.reason,
        )
        for job in jobs
    ]
    told = counts(found)
    return View(
        status=events.encode(StatusEvent(**told, jobs=progress)),
        pictures={**known, **new},
        end=events.encode(EndEvent(**told)) if found.progress.done else None,
        at_work=frozenset(job.number for job in jobs if job.state == JobState.PROCESSING),
    )


async def _event(server: Server, found: Status, result: Result) -> bytes:
    picture = await _generation(server, found, result)
    return events.encode(
        GenerationEvent(**picture, index=result.number, kudos=to_wire(result.charge))
    )


def counts(found: Status) -> dict[str, Any]:
    """The status of a request, as in `RequestStatusCheck`."""
    progress = found.progress
    return {
        "finished": progress.finished,
        "processing": progress.processing,
        "restarted": progress.restarted,
        "waiting": progress.waiting,
        "done": progress.done,
        "faulted": progress.faulted,
        "wait_time": found.outlook.seconds,
        "queue_position": found.outlook.position,
        "kudos": to_whole(found.consumed),
        "kudos_exact": to_wire(found.consumed),
        "is_possible": found.outlook.possible,
        "faults": [
            JobFault(index=fault.number, tries=fault.tries, reason=fault.reason)
            for fault in found.faults
        ]
        or None,
    }


async def _status(server: Server, found: Status) -> RequestStatusStable:
    generations = [
        GenerationStable(**await _generation(server, found, result, is_inline=True))
        for result in found.results
    ]
    shared = found.progress.shared
    return RequestStatusStable(**counts(found), generations=generations, shared=shared)


async def _generation(
    server: Server, found: Status, result: Result, *, is_inline: bool = False
) -> dict[str, Any]:
    """A finished picture. is_inline: its base64 is inserted only when the answer is sent."""
    name, params = picture_of(result.attempt_id), found.progress.params
    return {
        "img": await _picture(server, name, params, is_inline=is_inline),
        "seed": str(result.seed),
        "id": str(result.attempt_id),
        "censored": result.censored,
        "gen_metadata": [ReportedMetadata(**entry) for entry in result.gen_metadata],
        "worker_id": str(result.worker_id),
        "worker_name": result.worker_name,
        "model": result.model,
        "state": result.state,
    }


async def _picture(server: Server, name: str, params: Mapping[str, Any], *, is_inline: bool) -> str:
    """A link or the picture itself, as the client needs it."""
    settings = server.settings
    agents = context.agents() if has_request_context() else ()  # a stream outlives its request
    if links.result_by_link(settings.image_delivery, settings.base_url, params, agents):
        return server.horde.store.download_url(name)
    if is_inline:
        return inline.picture(name)
    picture = await server.horde.store.get(name)
    return GONE if picture is None else base64.b64encode(picture).decode()
