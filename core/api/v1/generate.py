"""`generate/sync`, `async`, `check` and `prompt`: asking for pictures and getting them."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from quart import current_app

from core.api import asking, context, inline, limits
from core.api.context import Server
from core.api.limits import DEFAULT, Limit
from core.api.operation import by_address, by_path
from core.api.streams import EXTENSION as STREAMS
from core.api.streams import Streams
from core.api.v1.endpoint import blueprint as new_blueprint
from core.api.v1.endpoint import endpoint
from core.db import now
from core.errors import Invalid, Unavailable
from core.features import SAMPLERS
from core.generation import cancel, status
from core.generation.delivery import picture_of
from core.generation.specs import RequestSpec
from core.generation.status import Status
from core.kinds.image import ImageParams
from core.queue import requests
from core.queue.results import Result
from core.wire import v1
from core.workers import fleet

blueprint = new_blueprint("v1_generate")

MAX_PICTURES = 20
MAX_STEPS = 100
MIN_SIDE, MAX_SIDE, SIDE_STEP = 64, 3072, 64
MAX_CFG = 100
MAX_PASSED_ON = 10_000
"""The most characters of JSON passed on to the worker's program."""
A_PICTURES_SECONDS, MAX_SECONDS = 180, 300
"""How long a call may wait for its pictures."""


class NotWanted(Invalid):
    """Version 1 made no pictures of such a size or with so many steps."""

    code = "BadRequest"


class TookTooLong(Unavailable):
    """The pictures are not finished, or never will be."""

    code = "RequestExpired"


@blueprint.post("/generate/async")
@endpoint(arguments=v1.GenerateArguments, limit=by_address(DEFAULT))
async def generate_async(wanted: v1.GenerateArguments) -> v1.Asked:
    """Ask for pictures."""
    return v1.Asked(id=str(await _accepted(wanted)))


@blueprint.post("/generate/sync")
@endpoint(arguments=v1.GenerateArguments, limit=by_address(DEFAULT))
async def generate_sync(wanted: v1.GenerateArguments) -> list[v1.Generation]:
    """Ask for pictures and wait for them. Hanging up cancels the request."""
    server, streams = context.server(), current_app.extensions[STREAMS]
    address = limits.network(context.address())
    with streams.place(address, relaxed=context.is_relaxed()):
        return await _waited_for(server, streams, wanted)


async def _waited_for(
    server: Server, streams: Streams, wanted: v1.GenerateArguments
) -> list[v1.Generation]:
    request_id = await _accepted(wanted)
    n = min(wanted.params.n, MAX_PICTURES)
    try:
        async with asyncio.timeout(min(A_PICTURES_SECONDS * n, MAX_SECONDS)):
            await streams.hubs.until_over(request_id)
    except TimeoutError:
        await _cancel(server, request_id)
        raise TookTooLong("The request has expired before it was finished.") from None
    except BaseException:  # the client hung up, or the server stops
        await _cancel(server, request_id)
        raise
    found = await _look(server, str(request_id))
    if not found.results:
        raise TookTooLong("The request was given up: the servers failed at it.")
    made = _generations(found.results)
    await _end(server, request_id)
    return made


@blueprint.get("/generate/check/<request_id>")
@endpoint(limit=by_path(Limit(10, 1)))
async def check(request_id: str) -> v1.Progress:
    """See how far a request is."""
    server = context.server()
    async with server.database.reading() as session:
        return _progress(await status.look(session, server.horde, request_id, kind="image"))


@blueprint.get("/generate/prompt/<request_id>")
@endpoint(limit=by_path(Limit(2, 60)))
async def prompt(request_id: str) -> v1.ProgressWithGenerations:
    """Get finished pictures of a request. Once all are, it is deleted after the answer."""
    server = context.server()
    found = await _look(server, request_id)
    made = _generations(found.results)
    if found.progress.done:
        await _end(server, found.progress.request_id)
    return v1.ProgressWithGenerations(**_progress(found).model_dump(), generations=made)


async def _accepted(wanted: v1.GenerateArguments) -> UUID:
    try:
        asked = await asking.accept(_ask(wanted), must_be_possible=True)
    except fleet.WorkerNotFound as missing:
        raise asking.NobodyServes(missing.message) from None
    return asked.request_id


def _ask(wanted: v1.GenerateArguments) -> RequestSpec[ImageParams]:
    given, more = wanted.params, wanted.params.model_extra or {}
    _check(given)
    seed = more.get("seed")
    return RequestSpec(
        kind="image",
        prompt=wanted.prompt,
        params=ImageParams(
            width=given.width,
            height=given.height,
            steps=given.steps,
            r2=False,
            passed_on=more,
            **_known(more),
        ),
        n=min(given.n, MAX_PICTURES),
        models=context.server().settings.default_models,
        seed=str(seed) if isinstance(seed, str | int) and str(seed) else None,
        workers=wanted.servers,
        allow_downgrade=True,  # its 50 steps are more than version 2 makes without kudos
        client_agent=context.client_agent(),
    )


def _check(given: v1.Parameters) -> None:
    for side in (given.width, given.height):
        if side % SIDE_STEP or not MIN_SIDE <= side <= MAX_SIDE:
            raise NotWanted("Invalid size. The image dimensions have to be a multiple of 64.")
    if given.steps > MAX_STEPS:
        raise NotWanted(
            f"Too many sampling steps. To be fair to everybody, at most {MAX_STEPS} are allowed."
        )
    if len(str(given.model_extra)) > MAX_PASSED_ON:
        raise NotWanted("There are too many unknown parameters in params.")


def _known(more: dict[str, Any]) -> dict[str, Any]:
    """The parameters for the worker's program that version 2 also knows."""
    known: dict[str, Any] = {}
    if more.get("sampler_name") in SAMPLERS:
        known["sampler_name"] = more["sampler_name"]
    cfg = more.get("cfg_scale")
    if isinstance(cfg, int | float) and 0 <= cfg <= MAX_CFG:
        known["cfg_scale"] = float(cfg)
    return known


async def _look(server: Server, request_id: str) -> Status:
    async with server.database.reading() as session:
        return await status.look_whole(session, server.horde, request_id, kind="image")


async def _cancel(server: Server, request_id: UUID) -> None:
    async with server.database.writing() as session:
        await cancel.cancel(session, request_id)
    await server.horde.changed(request_id, "cancelled")


async def _end(server: Server, request_id: UUID) -> None:
    async with server.database.writing() as session:
        await requests.end(session, request_id, at=now())


def _progress(found: Status) -> v1.Progress:
    return v1.Progress(
        finished=found.progress.finished,
        processing=found.progress.processing,
        waiting=found.progress.waiting,
        done=found.progress.done,
        wait_time=found.outlook.seconds,
        queue_position=found.outlook.position,
    )


def _generations(results: Sequence[Result]) -> list[v1.Generation]:
    return [
        v1.Generation(
            img=inline.picture(picture_of(result.attempt_id)),
            seed=result.seed,
            server_id=str(result.worker_id),
            server_name=result.worker_name,
        )
        for result in results
    ]
