"""The published data set: each picture with how it was made and its ratings.

Requesters and raters appear as kinds of users and as pseudonyms, which are stable within one horde
and identify nobody outside of it.
"""

import hmac
from collections.abc import AsyncIterator
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select

from core.community.ratings import pictures
from core.community.ratings.tables import Rating, SharedPicture
from core.db import AnyRow, Reading, table
from core.users.directory import is_pseudonymous
from core.users.tables import ANONYMOUS_ID, Role, UserRow

BATCH: Final = 500

_pictures = table(SharedPicture)
_ratings = table(Rating)
_users = table(UserRow)


async def records(session: Reading, secret: bytes) -> AsyncIterator[dict[str, Any]]:
    """All pictures in the order of their ids, each as one JSON object.

    secret: from which pseudonyms are made.
    """
    after: UUID | None = None
    while True:
        found = select(_pictures, _users.c.oauth_id, _users.c.roles).join(_users)
        if after is not None:
            found = found.where(_pictures.c.id > after)
        page = (await session.execute(found.order_by(_pictures.c.id).limit(BATCH))).all()
        rated = await _ratings_of(session, [row.id for row in page], secret)
        for row in page:
            yield _record(row, rated.get(row.id, []), secret)
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
                "user_type": _type(row),
                "created_at": row.created_at.isoformat(),
            }
        )
    return found


def _record(row: AnyRow, ratings: list[dict[str, Any]], secret: bytes) -> dict[str, Any]:
    given = [each["rating"] for each in ratings if each["rating"] is not None]
    return {
        "id": str(row.id),
        "file": pictures.name_of(row.id),
        "request": str(row.request_id),
        "prompt": row.prompt,
        "model": row.model,
        "seed": row.seed,
        "nsfw": row.nsfw,
        **row.params,
        "user": _pseudonym(secret, row.user_id),
        "user_type": _type(row),
        "created_at": row.created_at.isoformat(),
        "rating": round(sum(given) / len(given), 2) if given else None,
        "ratings": ratings,
    }


def _pseudonym(secret: bytes, user_id: int) -> str:
    return hmac.digest(secret, str(user_id).encode(), "sha256").hex()[:16]


def _type(row: AnyRow) -> str:
    """What is known about a user's reliability."""
    if row.user_id == ANONYMOUS_ID:
        return "anonymous"
    if row.roles & (Role.TRUSTED | Role.MODERATOR):
        return "trusted"
    return "pseudonymous" if is_pseudonymous(row.oauth_id) else "registered"
