"""What owners do with their shared keys: making, changing and deleting them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, insert, update

from core.db import Reading, Writing, table
from core.errors import Forbidden, Invalid, Unauthenticated
from core.moderation.names import clean
from core.users import directory, roles, shared_keys
from core.users.tables import Role, SharedKey, SharedKeyRow, User

MAX_KEYS, MAX_TRUSTED, MAX_EDUCATION = 3, 10, 1000
MAX_EXPIRY: Final = 365_000
"""Days: a longer life means for ever, and a date can still hold this one."""

_keys = table(SharedKeyRow)


class TooManySharedKeys(Forbidden):
    """The user has as many shared keys as allowed."""

    code = "Forbidden"


class NotYourSharedKey(Forbidden):
    """The shared key is somebody else's."""

    code = "Forbidden"


class UnknownSharedKey(Unauthenticated):
    """There is no such shared key."""

    code = "InvalidAPIKey"


class NoSharedKeyModSelected(Invalid):
    """Nothing is to be changed."""

    code = "NoSharedKeyModSelected"


async def by_id(session: Reading, text: str) -> SharedKey:
    """The shared key with this id. Raises UnknownSharedKey."""
    found = await shared_keys.by_key(session, text)
    if found is None:
        raise UnknownSharedKey("This shared key does not exist.")
    return found


async def create(
    session: Writing, owner: User, wanted: Mapping[str, Any], *, at: datetime
) -> SharedKey:
    """Make a shared key.

    wanted: columns of the key, with `days` until it expires (None: never) instead of the date.

    Raises AnonForbidden, DeletedUser and TooManySharedKeys.
    """
    roles.refuse_anonymous(owner, "have shared keys")
    if owner.has(Role.DELETED):
        raise roles.DeletedUser("This account is deleted.")
    await directory.locked(session, owner.id)  # else two at once could both be the last one allowed
    most = most_of(owner)
    if await shared_keys.count_of(session, owner.id) >= most:
        raise TooManySharedKeys(f"You have as many shared keys as you may have ({most}).")
    made = await session.execute(
        insert(_keys)
        .values(user_id=owner.id, created_at=at, **_columns(wanted, at))
        .returning(*_keys.c)
    )
    return SharedKey(**made.mappings().one())


def most_of(owner: User) -> int:
    """How many shared keys the user may have: the largest number that a role allows."""
    if owner.has(Role.EDUCATION):
        return MAX_EDUCATION
    return MAX_TRUSTED if owner.has(Role.TRUSTED) else MAX_KEYS


async def change(
    session: Writing, by: User, text: str, wanted: Mapping[str, Any], *, at: datetime
) -> SharedKey:
    """Change what is in `wanted`, as for `create`, and leave the rest.

    Raises UnknownSharedKey, NotYourSharedKey and NoSharedKeyModSelected.
    """
    key = await _own(session, by, text)
    if not wanted:
        raise NoSharedKeyModSelected("Please say what is to be changed.")
    changed = await session.execute(
        update(_keys).where(_keys.c.id == key.id).values(**_columns(wanted, at)).returning(*_keys.c)
    )
    return SharedKey(**changed.mappings().one())


async def remove(session: Writing, by: User, text: str) -> None:
    """Delete a shared key. Raises UnknownSharedKey and NotYourSharedKey."""
    key = await _own(session, by, text)
    await session.execute(delete(_keys).where(_keys.c.id == key.id))


async def remove_all(session: Writing, user_id: int) -> None:
    """Delete all shared keys of the user."""
    await session.execute(delete(_keys).where(_keys.c.user_id == user_id))


async def _own(session: Reading, by: User, text: str) -> SharedKey:
    key = await by_id(session, text)
    if key.user_id != by.id:
        raise NotYourSharedKey("This shared key is somebody else's.")
    return key


def _columns(wanted: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    columns = dict(wanted)
    if columns.get("name") is not None:
        columns["name"] = clean(columns["name"])
    if "days" in columns:
        days = columns.pop("days")
        lasts = days is None or days > MAX_EXPIRY
        columns["expires_at"] = None if lasts else at + timedelta(days=days)
    return columns
