"""`documents/…`: terms, privacy and sponsors, and `status/news`."""

import functools

from quart import Blueprint, request

from core.api import context, documents
from core.api.operation import by_address, operation
from core.errors import Invalid
from core.wire.documents import HordeDocument, Newspiece

blueprint = Blueprint("documents", __name__)

_reads = functools.partial(
    operation,
    answers={200: HordeDocument},
    query={"format": "html or markdown"},
    errors=(400,),
)


@blueprint.get("/documents/terms")
@_reads(limit=by_address())
async def terms() -> HordeDocument:
    """Read the rules of this horde."""
    return _document("terms")


@blueprint.get("/documents/privacy")
@_reads(limit=by_address())
async def privacy() -> HordeDocument:
    """Read what this horde stores, and for how long."""
    return _document("privacy")


@blueprint.get("/documents/sponsors")
@_reads(limit=by_address())
async def sponsors() -> HordeDocument:
    """Read who helps this horde."""
    return _document("sponsors")


@blueprint.get("/status/news")
@operation(answers={200: list[Newspiece]}, limit=by_address())
async def news() -> list[Newspiece]:
    """Read the news, newest first."""
    return documents.news(context.server().settings)


def _document(name: documents.Name) -> HordeDocument:
    form = request.args.get("format") or "html"
    settings = context.server().settings
    if form == "html":
        return HordeDocument(html=documents.html(name, settings))
    if form == "markdown":
        return HordeDocument(markdown=documents.markdown(name, settings))
    raise Invalid("format has to be html or markdown.")
