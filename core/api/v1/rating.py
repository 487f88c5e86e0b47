"""`/api/v1/rating`, `datasets`, `teams`: rating shared pictures, as rating clients know it.

Unlike the rest of version 1 this family is of 2023: the key is in the `apikey` header, bodies and
errors are JSON as in version 2.
"""

from typing import Final

from quart import Blueprint

from core.api import callers, context
from core.api.limits import Limit
from core.api.operation import by_address, operation
from core.community.ratings import pictures, rate
from core.community.ratings.rate import Vote
from core.errors import NotFound
from core.users.tables import User
from core.wire.kudos import to_wire
from core.wire.ratings import (
    ARTIFACTS,
    Dataset,
    DatasetImage,
    RatePostInput,
    RatePostResponse,
    RatingTeam,
)
from core.workers import teams

blueprint = Blueprint("rating", __name__)

DATASET: Final = "0bfa4aaf-6fd1-4a5b-9a3f-5d1c4d6f3a11"
"""The one data set that a horde has; the same id everywhere."""


class DatasetNotFound(NotFound):
    """There is no such data set."""

    code = "DatasetNotFound"


class NothingToRate(NotFound):
    """No picture is left for this user to rate."""

    code = "NothingToRate"


@blueprint.get("/rating/new")
@blueprint.get("/rating/new/<dataset_id>")
@blueprint.get("/rating/new/<dataset_id>/<path:model>")
@operation(answers={200: DatasetImage}, limit=by_address(), errors=(401, 404))
async def get_new(dataset_id: str = DATASET, model: str | None = None) -> DatasetImage:
    """Get a picture to rate that you neither asked for nor rated before."""
    if dataset_id != DATASET:
        raise DatasetNotFound(f"There is no data set with ID '{dataset_id[:36]}'.")
    server = context.server()
    async with server.database.reading() as session:
        user: User | None = await context.user(session) if context.api_key() else None
        found = await pictures.to_rate(session, user, model=model)
    if found is None:
        raise NothingToRate("There is nothing left for you to rate. Please come back later.")
    url = server.shared.download_url(pictures.name_of(found))
    return DatasetImage(id=str(found), url=url, dataset_id=DATASET)


@blueprint.post("/rating/<picture_id>")
@operation(
    body=RatePostInput,
    answers={200: RatePostResponse},
    limit=by_address(Limit(30, 60)),
    key_required=True,
    errors=(400, 401, 403, 404),
)
async def post_rating(body: RatePostInput, picture_id: str) -> RatePostResponse:
    """Say what you think of somebody else's picture, once."""
    flaws = body.artifacts
    vote = Vote(picture_id, body.rating, ARTIFACTS[flaws] if isinstance(flaws, str) else flaws)
    async with callers.writing() as session:
        amount = await rate.rate_picture(session, await context.user(session), vote)
    return RatePostResponse(reward=to_wire(amount), message="Rating submitted")


@blueprint.get("/datasets")
@operation(answers={200: list[Dataset]}, limit=by_address())
async def get_datasets() -> list[Dataset]:
    """List the data sets: there is one."""
    async with context.server().database.reading() as session:
        count = await pictures.count(session)
    return [
        Dataset(
            id=DATASET,
            name="Shared pictures",
            description="What the users of this horde asked for with shared: true.",
            image_count=count,
        )
    ]


@blueprint.get("/teams")
@operation(answers={200: list[RatingTeam]}, limit=by_address())
async def get_teams() -> list[RatingTeam]:
    """List the teams, which are those of workers."""
    async with context.server().database.reading() as session:
        rows = await teams.every(session)
    return [RatingTeam(id=str(row.id), team_name=row.name, is_private=False) for row in rows]
