"""`generate/rate/{id}`, and `shared/pictures` (ours): the pictures of the data set."""

from quart import Blueprint, request

from core.api import callers, context
from core.api.limits import Limit
from core.api.operation import by_address, by_path, operation
from core.community.ratings import pictures, rate
from core.community.ratings.rate import Finished, Vote
from core.community.ratings.tables import SharedPicture
from core.db import Reading
from core.errors import Invalid
from core.generation import status
from core.users import directory, roles
from core.wire.kudos import to_wire
from core.wire.ratings import AestheticsPayload, SharedPictureDetails
from core.wire.simple import SimpleResponse
from core.wire.submit import GenerationSubmitted

blueprint = Blueprint("ratings", __name__)


@blueprint.post("/generate/rate/<request_id>")
@operation(
    body=AestheticsPayload,
    answers={200: GenerationSubmitted},
    limit=by_path(Limit(5, 60)),
    errors=(400, 404),
)
async def rate_request(body: AestheticsPayload, request_id: str) -> GenerationSubmitted:
    """Rate a shared request's pictures; its id is enough."""
    votes = [Vote(each.id, each.rating, each.artifacts) for each in body.ratings]
    async with callers.writing_to(request_id) as session:
        finished, owner_id = await _finished(session, request_id)
        owner = await directory.by_id(session, owner_id)
        amount = await rate.rate_request(session, owner, finished, votes, body.best)
    return GenerationSubmitted(reward=to_wire(amount))


async def _finished(session: Reading, request_id: str) -> tuple[Finished, int]:
    horde = context.server().horde
    found = await status.look_whole(session, horde, request_id, kind="image")
    finished = Finished(
        id=found.progress.request_id,
        is_done=found.progress.done,
        is_shared=found.progress.shared,
        picture_ids={result.attempt_id for result in found.results},
        consumed=found.consumed,
    )
    return finished, found.progress.user_id


@blueprint.get("/shared/pictures")
@operation(
    answers={200: list[SharedPictureDetails]},
    limit=by_address(),
    key_required=True,
    query={"page": "from 1, 25 pictures each"},
    errors=(400, 401, 403),
)
async def get_own() -> list[SharedPictureDetails]:
    """List the pictures that you have shared, newest first."""
    page = request.args.get("page") or "1"
    if not page.isascii() or not page.isdecimal() or not 1 <= int(page[:6]) <= pictures.MAX_PAGES:
        raise Invalid(f"page has to be a number from 1 to {pictures.MAX_PAGES}.")
    async with context.server().database.reading() as session:
        user = await context.user(session)
        roles.refuse_anonymous(user, "list what everybody shared")
        found = await pictures.of_user(session, user.id, page=int(page))
    return [_details(picture) for picture in found]


@blueprint.get("/shared/pictures/<picture_id>")
@operation(answers={200: SharedPictureDetails}, limit=by_address(), errors=(404,))
async def get_one(picture_id: str) -> SharedPictureDetails:
    """See a shared picture and how it was made."""
    async with context.server().database.reading() as session:
        return _details(await pictures.by_id(session, picture_id))


@blueprint.delete("/shared/pictures/<picture_id>")
@operation(
    answers={200: SimpleResponse}, limit=by_address(), key_required=True, errors=(401, 403, 404)
)
async def remove(picture_id: str) -> SimpleResponse:
    """Remove a picture from the data set: its requester and moderators may."""
    server = context.server()
    async with callers.writing() as session:
        removed = await pictures.remove(session, await context.user(session), picture_id)
    await server.shared.delete(pictures.name_of(removed))
    return SimpleResponse(message="OK")


def _details(picture: SharedPicture) -> SharedPictureDetails:
    return SharedPictureDetails(
        id=str(picture.id),
        url=context.server().shared.download_url(pictures.name_of(picture.id)),
        request=str(picture.request_id),
        prompt=picture.prompt,
        model=picture.model,
        seed=str(picture.seed),
        params=picture.params,
        created=picture.created_at,
        rating_count=picture.rating_count,
    )
