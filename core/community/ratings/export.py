"""The published data set: each picture with how it was made and its ratings.

Requesters and raters appear as kinds of users and as pseudonyms, which are stable within one horde
and identify nobody outside of it.
"""

import hmac
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select

from core.community.ratings import pictures
from core.community.ratings.tables import Rating, SharedPicture, SharedPictureRow
from core.db import Reading, table
from core.users.directory import is_pseudonymous
from core.users.tables import ANONYMOUS_ID, Role, UserRow

BATCH: Final = 500

_pictures = table(SharedPictureRow)
_ratings = table(Rating)
_users = table(UserRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Exported(SharedPicture):
    """A shared picture, and what is told of its requester."""

    oauth_id: str
    roles: int


async def records(session: Reading, secret: bytes) -> AsyncIterator[dict[str, Any]]:
    """All pictures in the order of their ids, each as one JSON object.

    secret: from which pseudonyms are made.
    """
    after: UUID | None = None
    while True:
        found = select(_pictures, _users.c.oauth_id, _users.c.roles).join(_users)
        if after is not None:
            found = found.where(_pictures.c.id > after)
        rows = await session.execute(found.order_by(_pictures.c.id).limit(BATCH))
        page = [_Exported(**row) for row in rows.mappings()]
        rated = await _ratings_of(session, [picture.id for picture in page], secret)
        for picture in page:
            yield _record(picture, rated.get(picture.id, []), secret)
        if len(page) < BATCH:
            return
        after = page[-1].id


async def _ratings_of(
    session: Reading, ids: list[UUID], secret: bytes
) -> dict[UUID, list[dict[str, Any]]]:
    of_them = (
        select(_ratings, _users.c.oauth_id, _users.c.roles)
        .join(_users)
        .where(_ratings.c.picture_id.in_(ids))
        .order_by(_ratings.c.picture_id, _ratings.c.created_at, _ratings.c.user_id)
    )
    found: dict[UUID, list[dict[str, Any]]] = {}
    for row in await session.execute(of_them):
        found.setdefault(row.picture_id, []).append(
            {
                "rating": row.rating,
                "artifacts": row.artifacts,
                "best": row.best,
                "user": _pseudonym(secret, row.user_id),
                "user_type": _type(row.user_id, row.roles, row.oauth_id),
                "created_at": row.created_at.isoformat(),
            }
        )
    return found


def _record(picture: _Exported, ratings: list[dict[str, Any]], secret: bytes) -> dict[str, Any]:
    given = [each["rating"] for each in ratings if each["rating"] is not None]
    return {
        "id": str(picture.id),
        "file": pictures.name_of(picture.id),
        "request": str(picture.request_id),
        "prompt": picture.prompt,
        "model": picture.model,
        "seed": picture.seed,
        "nsfw": picture.nsfw,
        **picture.params,
        "user": _pseudonym(secret, picture.user_id),
        "user_type": _type(picture.user_id, picture.roles, picture.oauth_id),
        "created_at": picture.created_at.isoformat(),
        "rating": round(sum(given) / len(given), 2) if given else None,
        "ratings": ratings,
    }


def _pseudonym(secret: bytes, user_id: int) -> str:
    return hmac.digest(secret, str(user_id).encode(), "sha256").hex()[:16]


def _type(user_id: int, roles: int, oauth_id: str) -> str:
    """What is known about a user's reliability."""
    if user_id == ANONYMOUS_ID:
        return "anonymous"
    if roles & (Role.TRUSTED | Role.MODERATOR):
        return "trusted"
    return "pseudonymous" if is_pseudonymous(oauth_id) else "registered"
