"""Rating: requesters rate the pictures of a request, other users single pictures.

Each user rates a picture once. The reward is posted under a key of the business event, so that no
retry pays twice.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, update

from core import dialects
from core.community.ratings import pictures
from core.community.ratings.tables import Rating, SharedPictureRow
from core.db import Writing, now, table
from core.errors import Invalid
from core.kudos import rating as rewards
from core.users import roles
from core.users.tables import User

_pictures = table(SharedPictureRow)
_ratings = table(Rating)


class InvalidAestheticAttempt(Invalid):
    """The picture cannot be rated, or not by this user."""

    code = "InvalidAestheticAttempt"


class AestheticsNotCompleted(Invalid):
    """The request is not finished."""

    code = "AestheticsNotCompleted"


class AestheticsNotPublic(Invalid):
    """The request was not shared."""

    code = "AestheticsNotPublic"


class AestheticsDuplicate(Invalid):
    """A picture is rated twice in one call."""

    code = "AestheticsDuplicate"


class AestheticsMissing(Invalid):
    """The rating is empty."""

    code = "AestheticsMissing"


class AestheticsSolo(Invalid):
    """A single picture is called the best."""

    code = "AestheticsSolo"


class AestheticsConfused(Invalid):
    """The best picture is rated lower than another one."""

    code = "AestheticsConfused"


class AestheticsAlreadyExist(Invalid):
    """This user has rated that before."""

    code = "AestheticsAlreadyExist"


class ProcGenNotFound(Invalid):
    """The request has no such picture."""

    code = "ProcGenNotFound"


@dataclass(frozen=True, slots=True)
class Vote:
    """A rating of a picture."""

    picture_id: str
    rating: int
    """1 … 10"""
    artifacts: int | None = None
    """0 … 5"""


@dataclass(frozen=True, slots=True)
class Finished:
    """A request, as far as rating it needs it."""

    id: UUID
    is_done: bool
    is_shared: bool
    picture_ids: Collection[UUID]
    """Its delivered pictures."""
    consumed: int
    """Hundredths of a kudos: what it cost."""


def check(finished: Finished, votes: Sequence[Vote], best: str | None) -> None:
    """Raise what is wrong with the ratings of a request in themselves."""
    if not finished.is_done:
        raise AestheticsNotCompleted("This request is not finished yet.")
    if not finished.is_shared:
        raise AestheticsNotPublic("Only requests with shared: true can be rated.")
    if not votes and best is None:
        raise AestheticsMissing("Please send ratings, or which picture is the best.")
    if not votes and len(finished.picture_ids) == 1:
        raise AestheticsSolo("One picture alone is no choice of a best one.")
    ids = [vote.picture_id.lower() for vote in votes]
    if len(set(ids)) < len(ids):
        raise AestheticsDuplicate("Each picture can be rated only once.")
    known = {str(picture_id) for picture_id in finished.picture_ids}
    for named in (*ids, *([best.lower()] if best else [])):
        if named not in known:
            raise ProcGenNotFound(f"This request has no picture with ID '{named}'.")
    _check_best(votes, best)


def _check_best(votes: Sequence[Vote], best: str | None) -> None:
    own = [vote.rating for vote in votes if best and vote.picture_id.lower() == best.lower()]
    if own and own[0] < max(vote.rating for vote in votes):
        raise AestheticsConfused("The best picture is rated lower than another one.")


async def rate_request(
    session: Writing,
    owner: User,
    finished: Finished,
    votes: Sequence[Vote],
    best: str | None,
) -> int:
    """Store the requester's ratings of the request's pictures. Returns the reward in hundredths.

    Raises what `check` does, AestheticsAlreadyExist, and InvalidAestheticAttempt if a picture is
    not in the data set: censored, or removed.
    """
    check(finished, votes, best)
    shared = await pictures.of_request(session, finished.id)
    of_it = select(_ratings.c.picture_id).where(
        _ratings.c.picture_id.in_(shared), _ratings.c.user_id == owner.id
    )
    if await session.scalar(of_it.limit(1)) is not None:
        raise AestheticsAlreadyExist("You have rated this request before.")
    for picture_id, values in _rows(votes, best).items():
        if picture_id not in shared:
            raise InvalidAestheticAttempt(f"The picture '{picture_id}' is not shared.")
        await _add(session, picture_id, owner.id, values)
    amount = rewards.for_request(
        [(vote.rating, vote.artifacts is not None) for vote in votes],
        has_best=best is not None,
        best_is_rated=any(best and vote.picture_id.lower() == best.lower() for vote in votes),
        consumed=finished.consumed,
    )
    if owner.is_anonymous:
        return 0
    await rewards.pay(session, key=f"rating:{finished.id}", account=owner.account_id, amount=amount)
    return amount


async def rate_picture(session: Writing, user: User, vote: Vote) -> int:
    """Store a rating of somebody else's picture. Returns the reward in hundredths.

    Raises SharedPictureNotFound, InvalidAestheticAttempt and AestheticsAlreadyExist.
    """
    roles.refuse_anonymous(user, "rate pictures of others")
    found = await pictures.by_id(session, vote.picture_id)
    if found.user_id == user.id:
        raise InvalidAestheticAttempt("Please rate your own pictures with their request.")
    values = {"rating": vote.rating, "artifacts": vote.artifacts, "best": False}
    await _add(session, found.id, user.id, values)
    amount = rewards.for_picture(artifacts=vote.artifacts is not None)
    key = f"rating:{found.id}:{user.id}"
    await rewards.pay(session, key=key, account=user.account_id, amount=amount)
    return amount


def _rows(votes: Sequence[Vote], best: str | None) -> dict[UUID, dict[str, int | bool | None]]:
    rows: dict[UUID, dict[str, int | bool | None]] = {
        UUID(vote.picture_id): {"rating": vote.rating, "artifacts": vote.artifacts, "best": False}
        for vote in votes
    }
    if best is not None:
        unrated = {"rating": None, "artifacts": None}
        rows[UUID(best)] = {**rows.get(UUID(best), unrated), "best": True}
    return rows


async def _add(
    session: Writing, picture_id: UUID, user_id: int, values: dict[str, int | bool | None]
) -> None:
    """Write a rating; of two at the same time, one is refused."""
    added = await session.execute(
        dialects.insert(session, _ratings)
        .values(picture_id=picture_id, user_id=user_id, created_at=now(), **values)
        .on_conflict_do_nothing(index_elements=[_ratings.c.picture_id, _ratings.c.user_id])
        .returning(_ratings.c.user_id)
    )
    if added.first() is None:
        raise AestheticsAlreadyExist("You have rated this picture before.")
    await session.execute(
        update(_pictures)
        .where(_pictures.c.id == picture_id)
        .values(rating_count=_pictures.c.rating_count + 1)
    )
