"""`generate/check`, `generate/status` and `generate/events`: watching a request, cancelling it.

No key is needed: who knows a request's id may see and cancel it.
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from quart import Blueprint, Response, current_app, has_request_context

from core.api import context, links
from core.api.caches import TtlCache
from core.api.context import EXTENSION, Server
from core.api.limits import Limit
from core.api.operation import by_path, operation
from core.db import AnyRow
from core.generation import cancel, status
from core.generation.delivery import picture_of
from core.generation.horde import channel_of
from core.generation.status import Status
from core.queue.tables import JobState
from core.wire import events
from core.wire.events import EndEvent, GenerationEvent, JobProgress, StatusEvent
from core.wire.generate import (
    GenerationStable,
    ReportedMetadata,
    RequestStatusCheck,
    RequestStatusStable,
)
from core.wire.kudos import to_whole, to_wire

blueprint = Blueprint("watch", __name__)

CHECK_SECONDS = 1.0
LOOK_AGAIN_SECONDS = 2.0
"""Position and waiting time change without an event, and an event can be missed."""
STREAM_SECONDS = 3600.0
GONE = "N/A"
"""What stands for a picture that is not there any more, where it would be sent as base64."""

CHECKS = "recent_checks"


@blueprint.get("/generate/check/<request_id>")
@operation(answers={200: RequestStatusCheck}, limit=by_path(Limit(10, 1)), errors=(404,))
async def check(request_id: str) -> RequestStatusCheck:
    """See how far a request is."""
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
    """Get what is finished of a request."""
    server = context.server()
    async with server.database.reading() as session:
        found = await status.look(session, server.horde, request_id, kind="image")
        rows = await status.finished(session, found.progress.request_id)
    return await _status(server, found, rows)


@blueprint.delete("/generate/status/<request_id>")
@operation(answers={200: RequestStatusStable}, limit=by_path(Limit(10, 60)), errors=(404,))
async def cancel_request(request_id: str) -> RequestStatusStable:
    """Cancel what waits of a request; the answer is its status before."""
    server = context.server()
    async with server.database.writing() as session:
        found = await status.look(session, server.horde, request_id, kind="image")
        rows = await status.finished(session, found.progress.request_id)
        await cancel.cancel(session, found.progress.request_id)
    await server.horde.changed(found.progress.request_id, "cancelled")
    return await _status(server, found, rows)


@blueprint.get("/generate/events/<request_id>")
async def watch(request_id: str) -> Response:
    """Watch a request: position, job states and pictures are pushed as they change."""
    server: Server = current_app.extensions[EXTENSION]
    async with server.database.reading() as session:
        await status.look(session, server.horde, request_id)  # 404 before the stream begins
    response = Response(
        _stream(server, request_id),
        headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
        content_type="text/event-stream",
    )
    response.timeout = None
    return response


async def _stream(server: Server, request_id: str) -> AsyncIterator[bytes]:
    """Events until the request is over, at most for an hour; no session is held between them."""
    told: bytes | None = None
    sent: set[str] = set()
    loop = asyncio.get_running_loop()
    ends, beat = loop.time() + STREAM_SECONDS, loop.time() + events.HEARTBEAT_SECONDS
    async with server.horde.bus.subscribe(channel_of(status.parsed(request_id))) as messages:
        while loop.time() < ends:
            try:
                found, new, view = await _news(server, request_id, sent)
            except status.RequestNotFound:
                return
            for event in new:
                sent.add(event.id)
                yield events.encode(event)
            if (line := events.encode(view)) != told:
                told, beat = line, loop.time() + events.HEARTBEAT_SECONDS
                yield line
            elif loop.time() > beat:
                beat = loop.time() + events.HEARTBEAT_SECONDS
                yield events.HEARTBEAT
            if found.progress.done:
                yield events.encode(EndEvent(**counts(found)))
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN_SECONDS):
                    await anext(messages)


async def _news(
    server: Server, request_id: str, sent: set[str]
) -> tuple[Status, Sequence[GenerationEvent], StatusEvent]:
    async with server.database.reading() as session:
        found = await status.look(session, server.horde, request_id)
        jobs = await status.jobs_of(session, found.progress.request_id)
        rows = []
        if found.progress.finished > len(sent):
            rows = list(await status.finished(session, found.progress.request_id))
    new = [
        GenerationEvent(
            **await _generation(server, found, row), index=row.number, kudos=to_wire(row.charge)
        )
        for row in rows
        if str(row.attempt_id) not in sent
    ]
    progress = [
        JobProgress(
            index=job.number,
            state=JobState(job.state).name.lower(),
            worker_id=str(job.worker_id) if job.worker_id else None,
            worker_name=job.worker_name,
        )
        for job in jobs
    ]
    return found, new, StatusEvent(**counts(found), jobs=progress)


def counts(found: Status) -> dict[str, Any]:
    """How far a request is, as `RequestStatusCheck` has it."""
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
    }


async def _status(server: Server, found: Status, rows: Sequence[AnyRow]) -> RequestStatusStable:
    generations = [GenerationStable(**await _generation(server, found, row)) for row in rows]
    shared = found.progress.shared
    return RequestStatusStable(**counts(found), generations=generations, shared=shared)


async def _generation(server: Server, found: Status, row: AnyRow) -> dict[str, Any]:
    name, params = picture_of(row.attempt_id), found.progress.params
    return {
        "img": await _picture(server, name, params),
        "seed": str(row.seed),
        "id": str(row.attempt_id),
        "censored": row.censored,
        "gen_metadata": [ReportedMetadata(**entry) for entry in row.gen_metadata],
        "worker_id": str(row.worker_id),
        "worker_name": row.worker_name,
        "model": row.model,
        "state": row.state,
    }


async def _picture(server: Server, name: str, params: Mapping[str, Any]) -> str:
    """A link or the picture itself, as the client that asks needs it."""
    settings = server.settings
    agents = context.agents() if has_request_context() else ()  # a stream outlives its request
    if links.result_by_link(settings.image_delivery, settings.base_url, params, agents):
        return server.horde.store.download_url(name)
    picture = await server.horde.store.get(name)
    return GONE if picture is None else base64.b64encode(picture).decode()
