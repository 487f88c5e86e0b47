"""`filters`: the prompt filters, for moderators."""

from collections.abc import Sequence

from quart import Blueprint, request

from core.api import callers, context
from core.api.operation import by_address, operation
from core.db import Reading
from core.errors import Invalid
from core.moderation import filters
from core.moderation.prompts import FilterSet
from core.moderation.tables import Filter
from core.users import directory, roles
from core.users.tables import User
from core.wire.filters import (
    FilterDetails,
    FilterPromptSuspicion,
    FilterRegex,
    FilterTest,
    PatchExistingFilter,
    PutNewFilter,
)
from core.wire.simple import SimpleResponse
from core.wire.validation import InvalidBody

blueprint = Blueprint("filters", __name__)

SHIPPED = "shipped"
LARGEST_TYPE = 29
MAX_TYPE_CHARS = len(str(LARGEST_TYPE))
TYPE = {"filter_type": "10 … 29: only filters of this type"}


class NoFilterModSelected(Invalid):
    """The request changes nothing."""

    code = "NoFilterModSelected"


@blueprint.get("/filters")
@operation(
    answers={200: list[FilterDetails]},
    limit=by_address(),
    key_required=True,
    query={**TYPE, "contains": "a part of the expression, in any case"},
    errors=(400, 401, 403),
)
async def list_filters() -> list[FilterDetails]:
    """List the filters."""
    filter_type = _type_asked()
    async with context.server().database.reading() as session:
        await _moderator(session)
        rows = await filters.find(
            session, filter_type=filter_type, contains=request.args.get("contains")
        )
        return await _details(session, rows)


@blueprint.put("/filters")
@operation(
    body=PutNewFilter,
    answers={200: FilterDetails},
    limit=by_address(),
    key_required=True,
    errors=(400, 401, 403),
)
async def add_filter(body: PutNewFilter) -> FilterDetails:
    """Add a filter; an existing one is returned unchanged."""
    server = context.server()
    async with callers.writing() as session:
        moderator = await _moderator(session)
        row = await filters.add(
            session,
            regex=body.regex,
            filter_type=body.filter_type,
            description=body.description,
            replacement=body.replacement,
            user_id=moderator.id,
        )
        (added,) = await _details(session, [row])
    server.horde.filters.forget()
    return added


@blueprint.post("/filters")
@operation(
    body=FilterTest,
    answers={200: FilterPromptSuspicion},
    limit=by_address(),
    key_required=True,
    errors=(400, 401, 403),
)
async def test_prompt(body: FilterTest) -> FilterPromptSuspicion:
    """See what the filters find in a prompt."""
    async with context.server().database.reading() as session:
        await _moderator(session)
        stored = FilterSet.of(await filters.find(session))
    matches = stored.matches(body.prompt, body.filter_type)
    hits = stored.suspicion(body.prompt) if body.filter_type is None else int(bool(matches))
    return FilterPromptSuspicion(suspicion=str(hits), matches=matches)


@blueprint.get("/filters/regex")
@operation(
    answers={200: list[FilterRegex]},
    limit=by_address(),
    key_required=True,
    query=TYPE,
    errors=(400, 401, 403),
)
async def list_expressions() -> list[FilterRegex]:
    """See all filters of a type as one expression."""
    filter_type = _type_asked()
    async with context.server().database.reading() as session:
        await _moderator(session)
        joined = await filters.expressions(session, filter_type)
    return [FilterRegex(filter_type=kind, regex=regex) for kind, regex in joined.items()]


@blueprint.get("/filters/<filter_id>")
@operation(
    answers={200: FilterDetails}, limit=by_address(), key_required=True, errors=(401, 403, 404)
)
async def get_filter(filter_id: str) -> FilterDetails:
    """See a filter."""
    async with context.server().database.reading() as session:
        await _moderator(session)
        (found,) = await _details(session, [await filters.by_id(session, filter_id)])
    return found


@blueprint.patch("/filters/<filter_id>")
@operation(
    body=PatchExistingFilter,
    answers={200: FilterDetails},
    limit=by_address(),
    key_required=True,
    errors=(400, 401, 403, 404),
)
async def change_filter(body: PatchExistingFilter, filter_id: str) -> FilterDetails:
    """Change a filter."""
    server = context.server()
    changes = body.model_dump(include=body.model_fields_set)
    async with callers.writing() as session:
        await _moderator(session)
        if not changes:
            await filters.by_id(session, filter_id)
            raise NoFilterModSelected("Please change at least one field.")
        row = await filters.change(session, filter_id, changes)
        (changed,) = await _details(session, [row])
    server.horde.filters.forget()
    return changed


@blueprint.delete("/filters/<filter_id>")
@operation(
    answers={200: SimpleResponse}, limit=by_address(), key_required=True, errors=(401, 403, 404)
)
async def remove_filter(filter_id: str) -> SimpleResponse:
    """Delete a filter."""
    server = context.server()
    async with callers.writing() as session:
        await _moderator(session)
        await filters.remove(session, filter_id)
    server.horde.filters.forget()
    return SimpleResponse()


async def _moderator(session: Reading) -> User:
    asking = await context.user(session)
    roles.require_moderator(asking)
    return asking


def _type_asked() -> int | None:
    text = request.args.get("filter_type", "")
    if not text:
        return None
    is_type = text.isascii() and text.isdecimal() and len(text) <= MAX_TYPE_CHARS
    if not is_type or int(text) > LARGEST_TYPE:
        raise InvalidBody({"filter_type": f"a filter's type is a number of 10 … {LARGEST_TYPE}"})
    return int(text)


async def _details(session: Reading, rows: Sequence[Filter]) -> list[FilterDetails]:
    ids = {row.user_id for row in rows if row.user_id is not None}
    authors = await directory.by_ids(session, ids) if ids else {}
    return [
        FilterDetails(
            id=str(row.id),
            regex=row.regex,
            filter_type=row.filter_type,
            description=row.description,
            replacement=row.replacement,
            user=SHIPPED if row.user_id is None else authors[row.user_id].alias,
        )
        for row in rows
    ]
