"""`styles`: prompt templates with models and parameters, under a name."""

from collections.abc import Sequence
from typing import TypeVar

from quart import Blueprint, request

from core.api import callers, context
from core.api.limits import Limit
from core.api.operation import by_address, by_path, operation, styling
from core.api.paging import page
from core.api.style_views import to_images, to_texts
from core.community import authoring, styles
from core.community.authoring import Draft
from core.community.styles import Listing, StyleNotFound
from core.community.tables import Style
from core.db import Reading
from core.errors import Invalid, NotFound
from core.kinds.params import Advice
from core.wire.generate import RequestSingleWarning
from core.wire.model import Request
from core.wire.simple import SimpleResponse
from core.wire.styles import (
    ModelStyleInputKobold,
    ModelStyleInputStable,
    ModelStylePatchKobold,
    ModelStylePatchStable,
    StyleKobold,
    StyleModify,
    StyleStable,
)

blueprint = Blueprint("styles", __name__)

T = TypeVar("T")

SORTS = ("popular", "age")
SELDOM = by_path(Limit(20, 3600), Limit(2, 1))
QUERY = {
    "sort": "popular: the most used first; age: the oldest first",
    "page": "from 1, of 25 each",
    "tag": "only styles with this tag",
    "model": "only styles that name this model",
}


class ImageStyleNotFound(NotFound):
    """No style has this id."""

    code = "Image styleNotFound"


class TextStyleNotFound(NotFound):
    """No style has this id."""

    code = "Text styleNotFound"


class StyleGetMistmatch(Invalid):
    """The style is of the other kind; the spelling is the contract's."""

    code = "StyleGetMistmatch"


MISSING: dict[str, type[NotFound]] = {"image": ImageStyleNotFound, "text": TextStyleNotFound}


@blueprint.get("/styles/image")
@operation(
    answers={200: list[StyleStable]}, limit=styling, omit_nulls=True, query=QUERY, errors=(400,)
)
async def list_image_styles() -> list[StyleStable]:
    """List public styles for pictures."""
    async with context.server().database.reading() as session:
        return await to_images(session, await styles.listed(session, _listing("image")))


@blueprint.post("/styles/image")
@operation(
    body=ModelStyleInputStable,
    answers={200: StyleModify},
    limit=styling,
    key_required=True,
    errors=(400, 401, 403),
)
async def create_image_style(body: ModelStyleInputStable) -> StyleModify:
    """Create a style for pictures; customizers and trusted users may."""
    return await _create("image", body)


@blueprint.get("/styles/image/<style_id>")
@operation(answers={200: StyleStable}, limit=SELDOM, omit_nulls=True, errors=(400, 404))
async def get_image_style(style_id: str) -> StyleStable:
    """See a style for pictures, even one that is not listed."""
    async with context.server().database.reading() as session:
        return _one(await to_images(session, [await _of_kind(session, "image", style_id)]))


@blueprint.patch("/styles/image/<style_id>")
@operation(
    body=ModelStylePatchStable,
    answers={200: StyleModify},
    limit=SELDOM,
    key_required=True,
    errors=(400, 401, 403, 404),
)
async def change_image_style(body: ModelStylePatchStable, style_id: str) -> StyleModify:
    """Change a style of one's own; absent fields stay as they are."""
    return await _change("image", style_id, body)


@blueprint.delete("/styles/image/<style_id>")
@operation(answers={200: SimpleResponse}, limit=SELDOM, key_required=True, errors=(401, 403, 404))
async def delete_image_style(style_id: str) -> SimpleResponse:
    """Delete a style: its owner and moderators may."""
    return await _delete("image", style_id)


@blueprint.get("/styles/image_by_name/<path:style_name>")
@operation(answers={200: StyleStable}, limit=by_address(), omit_nulls=True, errors=(404,))
async def get_image_style_by_name(style_name: str) -> StyleStable:
    """See a style for pictures by its name."""
    async with context.server().database.reading() as session:
        return _one(await to_images(session, [await _named(session, "image", style_name)]))


@blueprint.get("/styles/text")
@operation(
    answers={200: list[StyleKobold]}, limit=SELDOM, omit_nulls=True, query=QUERY, errors=(400,)
)
async def list_text_styles() -> list[StyleKobold]:
    """List public styles for texts."""
    async with context.server().database.reading() as session:
        return await to_texts(session, await styles.listed(session, _listing("text")))


@blueprint.post("/styles/text")
@operation(
    body=ModelStyleInputKobold,
    answers={200: StyleModify},
    limit=SELDOM,
    key_required=True,
    errors=(400, 401, 403),
)
async def create_text_style(body: ModelStyleInputKobold) -> StyleModify:
    """Create a style for texts; customizers and trusted users may."""
    return await _create("text", body)


@blueprint.get("/styles/text/<style_id>")
@operation(answers={200: StyleKobold}, limit=styling, omit_nulls=True, errors=(400, 404))
async def get_text_style(style_id: str) -> StyleKobold:
    """See a style for texts, even one that is not listed."""
    async with context.server().database.reading() as session:
        return _one(await to_texts(session, [await _of_kind(session, "text", style_id)]))


@blueprint.patch("/styles/text/<style_id>")
@operation(
    body=ModelStylePatchKobold,
    answers={200: StyleModify},
    limit=styling,
    key_required=True,
    errors=(400, 401, 403, 404),
)
async def change_text_style(body: ModelStylePatchKobold, style_id: str) -> StyleModify:
    """Change a style of one's own; absent fields stay as they are."""
    return await _change("text", style_id, body)


@blueprint.delete("/styles/text/<style_id>")
@operation(answers={200: SimpleResponse}, limit=styling, key_required=True, errors=(401, 403, 404))
async def delete_text_style(style_id: str) -> SimpleResponse:
    """Delete a style: its owner and moderators may."""
    return await _delete("text", style_id)


@blueprint.get("/styles/text_by_name/<path:style_name>")
@operation(answers={200: StyleKobold}, limit=by_address(), omit_nulls=True, errors=(404,))
async def get_text_style_by_name(style_name: str) -> StyleKobold:
    """See a style for texts by its name."""
    async with context.server().database.reading() as session:
        return _one(await to_texts(session, [await _named(session, "text", style_name)]))


async def _create(kind: str, body: ModelStyleInputStable | ModelStyleInputKobold) -> StyleModify:
    async with callers.writing() as session:
        author = await context.user(session)
        style_id, advice = await authoring.create(session, author, kind, _new(body))
    return _done(str(style_id), advice)


async def _change(kind: str, style_id: str, body: Request) -> StyleModify:
    async with callers.writing() as session:
        user = await context.user(session)
        style = await changeable(session, kind, style_id)
        advice = await authoring.change(session, user, style, _draft(body))
    return _done(str(style.id), advice)


async def _delete(kind: str, style_id: str) -> SimpleResponse:
    async with callers.writing() as session:
        user = await context.user(session)
        await authoring.remove(session, user, await changeable(session, kind, style_id))
    return SimpleResponse()


async def changeable(session: Reading, kind: str, style_id: str) -> Style:
    """The style to be changed."""
    style = await styles.by_id(session, style_id)
    if style is None or style.kind != kind:
        raise StyleNotFound(f"There is no {kind} style with ID '{style_id}'.")
    return style


async def _of_kind(session: Reading, kind: str, style_id: str) -> Style:
    """The style to be shown."""
    style = await styles.by_id(session, style_id)
    if style is None:
        raise MISSING[kind](f"Style with ID '{style_id}' not found.")
    if style.kind != kind:
        raise StyleGetMistmatch(f"This is not a {kind} style. Please look under {style.kind}.")
    return style


async def _named(session: Reading, kind: str, name: str) -> Style:
    style = await styles.find(session, name, kind=kind)
    if style is None or style.kind != kind:
        raise StyleNotFound(f"There is no {kind} style called '{name}'.")
    return style


def _draft(body: Request) -> Draft:
    """Only what the body contains."""
    given = body.model_dump(exclude_unset=True)
    return Draft(shared_key=given.pop("sharedkey", None), **given)


def _new(body: ModelStyleInputStable | ModelStyleInputKobold) -> Draft:
    """The same for a new style, whose prompt has a default."""
    return _draft(body.model_copy(update={"prompt": body.prompt}))


def _listing(kind: str) -> Listing:
    return Listing(
        kind=kind,
        sort=sort(),
        page=page(),
        tag=request.args.get("tag"),
        model=request.args.get("model"),
    )


def sort() -> str:
    """The wanted order of a list. Raises Invalid."""
    wanted = request.args.get("sort", SORTS[0])
    if wanted not in SORTS:
        raise Invalid(f"sort is one of {', '.join(SORTS)}.")
    return wanted


def _done(made_id: str, advice: Sequence[Advice]) -> StyleModify:
    warnings = [RequestSingleWarning(code=one.code, message=one.message) for one in advice]
    return StyleModify(id=made_id, warnings=warnings)


def _one(several: Sequence[T]) -> T:
    return several[0]
