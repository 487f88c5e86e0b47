"""`collections`: styles of one kind, of which a request gets a random one."""

from quart import Blueprint, request

from core.api import callers, context
from core.api.operation import by_address, operation, styling
from core.api.paging import page
from core.api.style_views import to_collections
from core.api.v2.styles import sort
from core.community import collections, styles
from core.errors import Invalid
from core.wire.collections import InputModelCollection, ResponseModelCollection
from core.wire.simple import SimpleResponse
from core.wire.styles import StyleModify
from core.wire.validation import InvalidBody

blueprint = Blueprint("collections", __name__)

TYPES = {"all": None, "image": "image", "text": "text"}


@blueprint.get("/collections")
@operation(
    answers={200: list[ResponseModelCollection]},
    limit=styling,
    query={
        "sort": "popular: the most used first; age: the oldest first",
        "page": "from 1, of 25 each",
        "type": "all, image or text",
    },
    errors=(400,),
)
async def list_collections() -> list[ResponseModelCollection]:
    """List public collections."""
    kind = request.args.get("type", "all")
    if kind not in TYPES:
        raise Invalid(f"type is one of {', '.join(TYPES)}.")
    async with context.server().database.reading() as session:
        rows = await collections.listed(session, kind=TYPES[kind], sort=sort(), page=page())
        return await to_collections(session, rows)


@blueprint.post("/collections")
@operation(
    body=InputModelCollection,
    answers={200: StyleModify},
    limit=styling,
    key_required=True,
    errors=(400, 401, 403, 404),
)
async def create_collection(body: InputModelCollection) -> StyleModify:
    """Make a collection of styles, by their ids or names."""
    if body.name is None or "styles" not in body.model_fields_set:
        missing = "name" if body.name is None else "styles"
        raise InvalidBody({missing: "Missing required parameter in the JSON body"})
    async with callers.writing() as session:
        collection_id = await collections.create(
            session,
            await context.user(session),
            name=body.name,
            info=body.info,
            public=body.public,
            style_names=body.styles,
        )
    return StyleModify(id=str(collection_id))


@blueprint.get("/collections/<collection_id>")
@operation(answers={200: ResponseModelCollection}, limit=styling, errors=(404,))
async def get_collection(collection_id: str) -> ResponseModelCollection:
    """See a collection, even one that is not listed."""
    async with context.server().database.reading() as session:
        row = await collections.known(session, collection_id)
        (details,) = await to_collections(session, [row])
        return details


@blueprint.get("/collection_by_name/<path:collection_name>")
@operation(answers={200: ResponseModelCollection}, limit=by_address(), errors=(404,))
async def get_collection_by_name(collection_name: str) -> ResponseModelCollection:
    """See a collection by its name."""
    async with context.server().database.reading() as session:
        row = await styles.find_collection(session, collection_name)
        if row is None:
            raise collections.CollectionNotFound(f"Collection '{collection_name}' not found.")
        (details,) = await to_collections(session, [row])
        return details


@blueprint.patch("/collections/<collection_id>")
@operation(
    body=InputModelCollection,
    answers={200: StyleModify},
    limit=styling,
    key_required=True,
    errors=(400, 401, 403, 404),
)
async def change_collection(body: InputModelCollection, collection_id: str) -> StyleModify:
    """Change a collection of one's own; absent fields stay as they are."""
    given = body.model_fields_set
    async with callers.writing() as session:
        user = await context.user(session)
        collection = await collections.known(session, collection_id)
        await collections.change(
            session,
            user,
            collection,
            name=body.name,
            info=body.info,
            public=body.public if "public" in given else None,
            style_names=body.styles if "styles" in given else None,
        )
    return StyleModify(id=str(collection.id))


@blueprint.delete("/collections/<collection_id>")
@operation(answers={200: SimpleResponse}, limit=styling, key_required=True, errors=(401, 403, 404))
async def delete_collection(collection_id: str) -> SimpleResponse:
    """Delete a collection, not its styles: its owner and moderators may."""
    async with callers.writing() as session:
        user = await context.user(session)
        await collections.remove(session, user, await collections.known(session, collection_id))
    return SimpleResponse()
