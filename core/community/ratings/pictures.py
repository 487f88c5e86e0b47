"""Shared pictures: added as they are delivered, shown to who rates, removed by owner or moderator.

The files lie in a store of their own, which nothing sweeps; whoever calls puts them there before,
and deletes them after, the transaction.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, exists, func, insert, select, update

from core.community.ratings.tables import Rating, SharedPicture
from core.db import AnyRow, Reading, Writing, table
from core.errors import NotFound
from core.kinds.image import PRIVATE
from core.users import roles
from core.users.tables import User

PAGE: Final = 25
MAX_PAGES: Final = 10_000
CHOICE: Final = 20
"""Of how many pictures with the fewest ratings one is drawn."""

_pictures = table(SharedPicture)
_ratings = table(Rating)


class SharedPictureNotFound(NotFound):
    """No such picture in the data set, or none any more."""

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
    """A picture that this user may rate, by chance among those with the fewest ratings.

    user: None is nobody we know; everybody else gets what is neither their own nor rated by them.
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


async def by_id(session: Reading, picture_id: str) -> AnyRow:
    """The row of a picture. Raises SharedPictureNotFound."""
    try:
        wanted = UUID(picture_id)
    except ValueError:
        raise _missing(picture_id) from None
    found = (await session.execute(select(_pictures).where(_pictures.c.id == wanted))).first()
    if found is None:
        raise _missing(picture_id)
    return found


async def of_request(session: Reading, request_id: UUID) -> set[UUID]:
    """The request's pictures that are shared (still)."""
    of_it = select(_pictures.c.id).where(_pictures.c.request_id == request_id)
    return set(await session.scalars(of_it))


async def of_user(session: Reading, user_id: int, *, page: int) -> Sequence[AnyRow]:
    """The user's shared pictures, newest first. page: from 1, PAGE pictures each."""
    own = (
        select(_pictures)
        .where(_pictures.c.user_id == user_id)
        .order_by(_pictures.c.created_at.desc(), _pictures.c.id)
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    )
    found: Sequence[AnyRow] = (await session.execute(own)).all()
    return found


async def count(session: Reading) -> int:
    """How many pictures the data set has."""
    return await session.scalar(select(func.count()).select_from(_pictures)) or 0


async def remove(session: Writing, user: User, picture_id: str) -> UUID:
    """Take a picture and its ratings out of the data set; whose file is to be deleted then.

    What was paid for ratings stays paid. Raises SharedPictureNotFound and NotOwner.
    """
    found = await by_id(session, picture_id)
    roles.refuse_anonymous(user, "remove pictures")
    roles.require_owner(user, found.user_id, "this picture")
    await session.execute(delete(_pictures).where(_pictures.c.id == found.id))
    removed: UUID = found.id
    return removed


async def remove_all_of(session: Writing, user_id: int) -> list[UUID]:
    """Take all of a user's pictures and ratings out of the data set; whose files are to go."""
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
