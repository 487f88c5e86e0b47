"""`styles/image/{id}/example`: pictures on the web that show what a style does."""

from quart import Blueprint

from core.api import callers, context
from core.api.operation import by_address, operation, styling
from core.api.v2.styles import changeable
from core.community import examples
from core.wire.simple import SimpleResponse
from core.wire.styles import InputStyleExamplePatch, InputStyleExamplePost, StyleModify

blueprint = Blueprint("examples", __name__)


@blueprint.post("/styles/image/<style_id>/example")
@operation(
    body=InputStyleExamplePost,
    answers={200: StyleModify},
    limit=styling,
    key_required=True,
    errors=(400, 401, 403, 404),
)
async def add_style_example(body: InputStyleExamplePost, style_id: str) -> StyleModify:
    """Add an example of a style, by the https URL of a picture."""
    async with callers.writing() as session:
        user = await context.user(session)
        style = await changeable(session, "image", style_id)
        example_id = await examples.add(session, user, style, url=body.url, primary=body.primary)
    return StyleModify(id=str(example_id))


@blueprint.patch("/styles/image/<style_id>/example/<example_id>")
@operation(
    body=InputStyleExamplePatch,
    answers={200: StyleModify},
    limit=by_address(),
    key_required=True,
    errors=(400, 401, 403, 404),
)
async def change_style_example(
    body: InputStyleExamplePatch, style_id: str, example_id: str
) -> StyleModify:
    """Change an example."""
    async with callers.writing() as session:
        user = await context.user(session)
        style = await changeable(session, "image", style_id)
        await examples.change(session, user, style, example_id, url=body.url, primary=body.primary)
    return StyleModify(id=example_id)


@blueprint.delete("/styles/image/<style_id>/example/<example_id>")
@operation(
    answers={200: SimpleResponse}, limit=by_address(), key_required=True, errors=(401, 403, 404)
)
async def delete_style_example(style_id: str, example_id: str) -> SimpleResponse:
    """Delete an example."""
    async with callers.writing() as session:
        user = await context.user(session)
        style = await changeable(session, "image", style_id)
        await examples.remove(session, user, style, example_id)
    return SimpleResponse()
