"""`/pictures/…`: the targets of signed links of the picture folder. Outside of `/api`."""

import asyncio

from quart import Blueprint, Response, request
from werkzeug.exceptions import RequestEntityTooLarge, RequestTimeout

from core.api import bodies, context, limits
from core.api.context import Server
from core.errors import Conflict, NotFound
from core.images import checks
from core.images.signing import Signer
from core.images.store import Store
from core.queue import attempts

blueprint = Blueprint("pictures", __name__)


class PictureNotFound(NotFound):
    """No such picture, or it is gone."""

    code = "PictureNotFound"


class UploadClosed(Conflict):
    """The job is over: its picture no longer changes."""

    code = "UploadClosed"


@blueprint.get("/pictures/<name>")
async def download(name: str) -> Response:
    """Fetch a picture. The link is secret and lives as long as its signature."""
    server = context.server()
    return await _picture(server.signer, server.horde.store, name)


@blueprint.get("/shared/<name>")
async def download_shared(name: str) -> Response:
    """Fetch a picture of the data set."""
    server = context.server()
    return await _picture(server.shared_signer, server.shared, name)


async def _picture(signer: Signer, store: Store, name: str) -> Response:
    signer.verify("GET", name, request.query_string.decode(errors="replace"))
    picture = await store.get(name)
    if picture is None:
        raise PictureNotFound("This picture is no longer here.")
    return Response(
        picture,
        content_type="image/webp",
        headers={
            "Cache-Control": "private, max-age=1800, immutable",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
        },
    )


@blueprint.put("/pictures/<name>")
@bodies.of_size(None)
async def upload(name: str) -> Response:
    """Take a worker's picture while its job is open; submitting the job publishes it."""
    server = context.server()
    limit = server.signer.verify("PUT", name, request.query_string.decode(errors="replace"))
    if (request.content_length or 0) > limit:
        raise RequestEntityTooLarge
    caller = limits.network(context.address())
    picture = await checks.to_webp(server.decoders, await _body(limit), caller=caller)
    await _check_open(server, name)  # checked now, as the upload may have outlasted the job
    await server.horde.store.receive(name, picture)
    return Response(b"", 200)


async def _check_open(server: Server, name: str) -> None:
    async with server.database.reading() as session:
        if not await attempts.is_alive(session, name.removesuffix(".webp")):
            raise UploadClosed("The job of this picture is over.")


async def _body(limit: int) -> bytes:
    """The body, of which at most `limit` bytes are read."""
    content = bytearray()
    try:
        async with asyncio.timeout(request.body_timeout):
            async for part in request.body:
                content += part
                if len(content) > limit:
                    raise RequestEntityTooLarge
    except TimeoutError:
        raise RequestTimeout from None
    return bytes(content)
