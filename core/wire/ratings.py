"""Ratings: `POST generate/rate/{id}`, the shared pictures (ours), and `/api/v1/rating/…`."""

from typing import Annotated, Final, Literal

from pydantic import Field, JsonValue, StrictInt

from core.wire.limits import MAX_LIST
from core.wire.model import Answer, Request
from core.wire.scalars import WHOLE, Maybe, Rfc822Date, String

ArtifactsName = Literal[
    "FLAWLESS", "LITTLE_FLAWS", "SOME_FLAWS", "OBVIOUS_FLAWS", "HARMFUL_FLAWS", "GARBAGE"
]
ARTIFACTS: Final[dict[str, int]] = {
    "FLAWLESS": 0,
    "LITTLE_FLAWS": 1,
    "SOME_FLAWS": 2,
    "OBVIOUS_FLAWS": 3,
    "HARMFUL_FLAWS": 4,
    "GARBAGE": 5,
}
"""The numbers of the names of flaws."""

Id = Annotated[String, Field(min_length=36, max_length=36)]
Stars = Annotated[StrictInt, Field(ge=1, le=10), WHOLE]
Flaws = Annotated[StrictInt, Field(ge=0, le=5), WHOLE]


class AestheticRating(Request):
    """The requester's rating of one picture."""

    id: Id
    rating: Stars
    """1: not liked at all; 10: liked most."""
    artifacts: Maybe[Flaws] = None
    """0: flawless; 5: garbage."""


class AestheticsPayload(Request):
    """The requester's ratings of a request's pictures; one of the two is needed."""

    best: Maybe[Id] = None
    """The picture that is liked best."""
    ratings: Annotated[list[AestheticRating], Field(max_length=MAX_LIST)] = Field(
        default_factory=list
    )


class RatePostInput(Request):
    """A rating of somebody else's picture."""

    rating: Stars
    artifacts: Maybe[Flaws | ArtifactsName] = None
    """A number, or its name: FLAWLESS is 0, GARBAGE 5."""


class RatePostResponse(Answer):
    """The rating is stored."""

    reward: float
    """Kudos."""
    message: str


class DatasetImage(Answer):
    """A picture to rate."""

    id: str
    url: str
    """Lives 30 minutes."""
    dataset_id: str


class Dataset(Answer):
    """A set of pictures that can be rated."""

    id: str
    name: str
    description: str
    image_count: int


class RatingTeam(Answer):
    """A team."""

    id: str
    team_name: str
    is_private: bool


class SharedPictureDetails(Answer):
    """A picture that was given to the data set."""

    id: str
    """The id of the generation."""
    url: str
    """Lives 30 minutes."""
    request: str
    prompt: str
    model: str
    seed: str
    params: dict[str, JsonValue]
    created: Rfc822Date
    rating_count: int
