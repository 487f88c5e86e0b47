"""Shared pictures: added on delivery, shown to raters, removed by owner or moderator.

The files are in a store of their own, which is never swept; the caller puts them there before the
transaction, and deletes them after it.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, exists, func, insert, select, update

from core.community.ratings.tables import Rating, SharedPicture, SharedPictureRow
from core.db import Reading, Writing, table
from core.errors import NotFound
from core.kinds.image import PRIVATE
from core.users import roles
from core.users.tables import User

PAGE: Final = 25
MAX_PAGES: Final = 10_000
CHOICE: Final = 20
"""How many pictures with the fewest ratings one is drawn from."""

_pictures = table(SharedPictureRow)
_ratings = table(Rating)


class SharedPictureNotFound(NotFound):
    """No such picture is in the data set, or not any more."""

    code = "SharedPictureNotFound"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """A delivered picture that is to be shared."""

    id: UUID
    request_id: UUID
    user_id: int
    model: str
    prompt: str
    params: Mapping[str, Any]
    seed: int
    nsfw: bool


def name_of(picture_id: UUID) -> str:
    """The picture's name in the store of shared pictures."""
    return f"{picture_id}.webp"


async def add(session: Writing, shared: Shared, *, at: datetime) -> None:
    """Add a picture to the data set."""
    known = {key: value for key, value in shared.params.items() if key not in PRIVATE}
    values = {
        "id": shared.id,
        "request_id": shared.request_id,
        "user_id": shared.user_id,
        "model": shared.model,
        "prompt": shared.prompt,
        "params": known,
        "seed": shared.seed,
        "nsfw": shared.nsfw,
        "created_at": at,
        "rating_count": 0,
    }
    await session.execute(insert(_pictures), values)


async def to_rate(session: Reading, user: User | None, *, model: str | None = None) -> UUID | None:
    """A random picture that this user may rate, among those with the fewest ratings.

    user: None is an unknown user; known ones get pictures that they neither own nor rated.
    """
    chosen = select(_pictures.c.id).order_by(_pictures.c.rating_count, _pictures.c.id)
    if user is not None:
        mine = exists().where(
            _ratings.c.picture_id == _pictures.c.id, _ratings.c.user_id == user.id
        )
        chosen = chosen.where(_pictures.c.user_id != user.id, ~mine)
    if model is not None:
        chosen = chosen.where(_pictures.c.model == model)
    ids = list(await session.scalars(chosen.limit(CHOICE)))
    return random.choice(ids) if ids else None  # noqa: S311 - nothing secret


async def by_id(session: Reading, picture_id: str) -> SharedPicture:
    """The picture. Raises SharedPictureNotFound."""
    try:
        wanted = UUID(picture_id)
    except ValueError:
        raise _missing(picture_id) from None
    of_it = select(_pictures).where(_pictures.c.id == wanted)
    found = (await session.execute(of_it)).mappings().first()
    if found is None:
        raise _missing(picture_id)
    return SharedPicture(**found)


async def of_request(session: Reading, request_id: UUID) -> set[UUID]:
    """The request's pictures that are (still) shared."""
    of_it = select(_pictures.c.id).where(_pictures.c.request_id == request_id)
    return set(await session.scalars(of_it))


async def of_user(session: Reading, user_id: int, *, page: int) -> list[SharedPicture]:
    """The user's shared pictures, newest first. page: from 1, PAGE pictures each."""
    own = (
        select(_pictures)
        .where(_pictures.c.user_id == user_id)
        .order_by(_pictures.c.created_at.desc(), _pictures.c.id)
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    )
    return [SharedPicture(**row) for row in (await session.execute(own)).mappings()]


async def count(session: Reading) -> int:
    """How many pictures the data set has."""
    return await session.scalar(select(func.count()).select_from(_pictures)) or 0


async def remove(session: Writing, user: User, picture_id: str) -> UUID:
    """Remove a picture and its ratings from the data set. Delete its file afterwards.

    Rewards for ratings stay paid. Raises SharedPictureNotFound and NotOwner.
    """
    found = await by_id(session, picture_id)
    roles.refuse_anonymous(user, "remove pictures")
    roles.require_owner(user, found.user_id, "this picture")
    await session.execute(delete(_pictures).where(_pictures.c.id == found.id))
    return found.id


async def remove_all_of(session: Writing, user_id: int) -> list[UUID]:
    """Remove all of a user's pictures and ratings from the data set. Returns whose files go."""
    own = _ratings.c.user_id == user_id
    await session.execute(
        update(_pictures)
        .where(_pictures.c.id.in_(select(_ratings.c.picture_id).where(own)))
        .values(rating_count=_pictures.c.rating_count - 1)
    )
    await session.execute(delete(_ratings).where(own))
    gone = delete(_pictures).where(_pictures.c.user_id == user_id).returning(_pictures.c.id)
    return list(await session.scalars(gone))


def _missing(picture_id: str) -> SharedPictureNotFound:
    return SharedPictureNotFound(f"There is no shared picture with ID '{picture_id[:36]}'.")
