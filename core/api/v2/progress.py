"""`POST generate/progress` (ours): a worker says how far it is with jobs, and shows it."""

import base64
from typing import Final

from quart import Blueprint, current_app

from core.api import context
from core.api.context import Server
from core.api.limits import Counted, Limit
from core.api.operation import by_address, operation
from core.api.streams import EXTENSION as STREAMS
from core.api.streams import Streams
from core.db import now
from core.errors import Refusal, TooMany
from core.generation import beats
from core.generation.beats import Heard, Shown
from core.images.process import Work
from core.queue import attempts
from core.queue.rows import AtWork
from core.wire.progress import MAX_PREVIEW_BYTES, JobAtWork, ProgressHeard, ProgressInput

blueprint = Blueprint("progress", __name__)

PER_JOB: Final = Limit(2, 1)
WATCHED_SECONDS: Final = 1.0
BEGINNING_SECONDS: Final = 2.0
UNWATCHED_SECONDS: Final = 10.0
"""Between two calls: of a job that is watched, of one that begins and may be watched at any moment,
and of any other, whose calls show nothing but that the worker lives.
"""
MAX_PREVIEW_PIXELS: Final = 512 * 512
DECODING_SECONDS: Final = 1


class TooOften(TooMany):
    """Two calls a second for each job are enough."""

    code = "TooMuchProgress"


@blueprint.post("/generate/progress")
@operation(
    body=ProgressInput,
    answers={200: ProgressHeard},
    limit=by_address(Limit(60, 1)),
    key_required=True,
    errors=(400, 401, 403),
)
async def generate_progress(body: ProgressInput) -> ProgressHeard:
    """Say how far jobs are; who watches sees it. Workers alone need it."""
    server, at = context.server(), now()
    jobs = {job.id: job for job in body.jobs}
    async with server.database.reading() as session:
        owner = await context.user(session)
        heard = await beats.hear(session, owner, jobs, at=at)
    await _count(server, heard)
    if unwritten := heard.unwritten(at):
        async with server.database.writing() as session:
            await attempts.heard(session, unwritten, at=at)
    streams: Streams = current_app.extensions[STREAMS]
    watched = False
    for row in heard.real:
        if streams.hubs.may_be_watched(row.request_id):
            watched = True
            shown = await _shown(server, row, jobs[str(row.id)], caller=f"user {owner.id}")
            await beats.tell(server.horde, row, step=body.step, steps=body.steps, shown=shown)
    unwatched = UNWATCHED_SECONDS if body.step or not heard.real else BEGINNING_SECONDS
    seconds = WATCHED_SECONDS if watched else unwatched
    return ProgressHeard(gone=list(heard.gone), watched=watched, seconds=seconds)


async def _count(server: Server, heard: Heard) -> None:
    """Count the call for each job. Raises TooOften."""
    if server.settings.rate_limits == "off" or not heard.alive:
        return
    counted: Counted = [(f"progress {row.id}", PER_JOB) for row in heard.alive]
    if not (await server.limiter.hit(counted)).allowed:
        raise TooOften(f"At most {PER_JOB} for each job.")


async def _shown(server: Server, row: AtWork, job: JobAtWork, *, caller: str) -> Shown | None:
    """What is to be seen of a job: what the decoder has passed, or a text."""
    if not beats.may_be_seen(row):
        return None
    if row.kind == "text" and job.text:
        return Shown("text", job.text)
    if row.kind != "image" or not job.preview or not job.preview.isascii():
        return None
    work = Work(
        content=job.preview, max_pixels=MAX_PREVIEW_PIXELS, quality=0, seconds=DECODING_SECONDS
    )
    try:
        picture = await server.decoders.result(work, caller=caller)
    except Refusal:  # no picture, or there is too much to do: the next one may be seen
        return None
    if len(picture) > MAX_PREVIEW_BYTES:
        return None
    return Shown("preview", base64.b64encode(picture).decode())
