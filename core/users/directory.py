"""Who is who: finding, registering and changing users. Keys are hashed by a `Keyring`.

What is found stays as it was read. Whoever changes a user gets another one back.
"""

import re
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from core.db import Reading, Writing, now, table
from core.errors import Conflict, Invalid, NotFound, Unauthenticated
from core.ledger import accounts
from core.prepared import prepared
from core.users import names
from core.users.keys import Keyring
from core.users.roles import AnonForbidden
from core.users.tables import ANONYMOUS_ID, ANONYMOUS_KEY, Role, User, UserRow

FLOOR = 2500
"""Hundredths of a kudos that a user who logged in at a service starts with and keeps."""
PSEUDONYMOUS_FLOOR = 1400
"""The same for users who have a key but no login."""

MAX_ID = 2**31 - 1
MAX_KEY_CHARACTERS = 255  # far above any key; anything longer is not worth hashing

NO_ROLE = Role(0)
ACTIVE_WRITTEN_EVERY = timedelta(hours=1)

_OAUTH_ID = re.compile(r"[!-~]{1,50}")
_users = table(UserRow)


class UnknownKey(Unauthenticated):
    """No user has this API key."""

    code = "InvalidAPIKey"


class UnknownUser(NotFound):
    """There is no such user."""

    code = "UserNotFound"


class AlreadyRegistered(Conflict):
    """The person behind this login is registered already."""

    code = "AlreadyRegistered"


class BadOauthId(Invalid):
    """No login service has such ids."""

    code = "BadOauthId"


async def by_key(session: Reading, keyring: Keyring, key: str) -> User:
    """The user with this API key, deleted ones included, whom the caller may want to refuse.

    Raises UnknownKey. Where `keyring.is_current(user.key_hash)` is false, the key matched under an
    old secret and `rehash` is due in a writing session.
    """
    user: User | None = None
    if len(key) <= MAX_KEY_CHARACTERS:
        hashes, known = tuple(keyring.candidates(key)), session.remembered
        moment = known.moment
        user = known.get(_users.name, hashes)
        if user is None and (user := await _one(session, _BY_KEY, hashes)) is not None:
            known.put(_users.name, hashes, user, read_at=moment)
    if user is None:
        raise UnknownKey(
            "No user matching sent API Key. Have you remembered to register at /register?"
        )
    return user


async def by_id(session: Reading, user_id: int) -> User:
    """The user with this id. Raises UnknownUser, also for ids no database could hold."""
    user = await _one(session, _BY_ID, user_id) if 0 <= user_id <= MAX_ID else None
    if user is None:
        raise UnknownUser(f"User with id '{user_id}' not found.")
    return user


async def locked(session: Writing, user_id: int) -> User:
    """The user with this id, whose row is locked until the transaction ends.

    Lock the user first if you change a user and move that user's kudos. Raises UnknownUser.
    """
    user = await _one(session, _LOCKED, user_id) if 0 <= user_id <= MAX_ID else None
    if user is None:
        raise UnknownUser(f"User with id '{user_id}' not found.")
    return user


async def by_ids(session: Reading, user_ids: Collection[int]) -> dict[int, User]:
    """The users with these ids, by id."""
    found = await session.execute(select(_users).where(_users.c.id.in_(user_ids)))
    return {row["id"]: User(**row) for row in found.mappings()}


async def by_alias(session: Reading, alias: str) -> User:
    """The user called `name#id`; what follows the last # is the id. Raises UnknownUser."""
    name, _, number = alias.rpartition("#")
    is_id = number.isascii() and number.isdecimal() and len(number) <= len(str(MAX_ID))
    user = await _one(session, _BY_ID, int(number)) if is_id and int(number) <= MAX_ID else None
    if user is None or user.username != name:
        raise UnknownUser(f"User '{alias}' not found.")
    return user


async def by_oauth_id(session: Reading, oauth_id: str) -> User | None:
    """The user who registered with this login, if there is one."""
    if not _OAUTH_ID.fullmatch(oauth_id):
        return None
    return await _one(session, _BY_OAUTH_ID, oauth_id)


async def _one(session: Reading, statement: Select[Any], value: object) -> User | None:
    row = (await session.execute(statement, {"value": value})).mappings().first()
    return None if row is None else User(**row)


_BY_KEY = select(_users).where(_users.c.key_hash.in_(bindparam("value", expanding=True)))
_BY_ID = prepared(select(_users).where(_users.c.id == bindparam("value")))
_LOCKED = _BY_ID.with_for_update(key_share=True)
_BY_OAUTH_ID = select(_users).where(_users.c.oauth_id == bindparam("value"))


async def create(
    session: Writing,
    keyring: Keyring,
    *,
    username: str,
    oauth_id: str,
    roles: int = 0,
    concurrency: int = 30,
) -> tuple[User, str]:
    """Register a user. Returns the user and the API key, which is never shown again.

    username: cleaned by `names.clean`.
    oauth_id: who this is at a login service (`g_…`, `d_…`, `gh_…`), or a UUID for a pseudonymous
        user. It decides the floor that is granted.
    concurrency: how many of the user's jobs may wait at once.

    Raises BadUsername, BadOauthId, and AlreadyRegistered if the oauth_id has a user; after the
    latter the transaction must be rolled back.
    """
    name = names.clean(username)
    if not _OAUTH_ID.fullmatch(oauth_id):
        raise BadOauthId("A login's id has 1 to 50 visible ASCII characters.")
    key = keyring.new()
    floor = PSEUDONYMOUS_FLOOR if is_pseudonymous(oauth_id) else FLOOR
    account_id, escrow_id = await accounts.open_pair(session, floor=floor)
    moment = now()
    adding = insert(_users).values(
        username=name,
        oauth_id=oauth_id,
        key_hash=keyring.hash(key),
        account_id=account_id,
        escrow_id=escrow_id,
        roles=roles,
        concurrency=concurrency,
        created_at=moment,
        last_active_at=moment,
    )
    try:
        added = await session.execute(adding.returning(_users))
    except IntegrityError as refused:
        if "oauth_id" not in str(refused.orig):
            raise
        raise AlreadyRegistered("This login is registered already.") from refused
    return User(**added.mappings().one()), key


def is_pseudonymous(oauth_id: str) -> bool:
    """Whether it is not a login but a UUID made at registration."""
    try:
        UUID(oauth_id)
    except ValueError:
        return False
    return True


async def rotate_key(session: Writing, keyring: Keyring, user: User) -> str:
    """Give the user a new API key and return it; the old one stops working.

    Raises AnonForbidden.
    """
    _refuse_anonymous(user)
    key = keyring.new()
    hashed = keyring.hash(key)
    await session.execute(update(_users).where(_users.c.id == user.id).values(key_hash=hashed))
    return key


async def rehash(session: Writing, keyring: Keyring, user: User, key: str) -> None:
    """Store the user's key under the present secret, unless it was replaced meanwhile."""
    renewed = keyring.hash(key)
    await session.execute(
        update(_users)
        .where(_users.c.id == user.id, _users.c.key_hash.in_(keyring.candidates(key)))
        .values(key_hash=renewed)
    )


async def ensure_anonymous(session: Writing, keyring: Keyring) -> None:
    """Let the anonymous user be found by its public key, under the present secret."""
    expected = keyring.hash(ANONYMOUS_KEY)
    await session.execute(
        update(_users)
        .where(_users.c.id == ANONYMOUS_ID, _users.c.key_hash.is_distinct_from(expected))
        .values(key_hash=expected)
    )


async def set_roles(
    session: Writing, user: User, *, grant: Role = NO_ROLE, revoke: Role = NO_ROLE
) -> User:
    """Give the user roles and take others; two changes at once are both kept.

    Returns the changed user. Raises AnonForbidden.
    """
    _refuse_anonymous(user)
    changed = await session.execute(
        update(_users)
        .where(_users.c.id == user.id)
        .values(roles=_users.c.roles.bitwise_or(grant.value).bitwise_and(~revoke.value))
        .returning(_users.c.roles)
    )
    return replace(user, roles=changed.scalar_one())


async def change(session: Writing, user: User, **values: Any) -> User:  # noqa: ANN401 - columns
    """Set columns of the user's row; returns the changed user."""
    await session.execute(update(_users).where(_users.c.id == user.id).values(**values))
    return replace(user, **values)


async def touch(session: Writing, user_ids: Collection[int], *, at: datetime) -> None:
    """Record that these users, or their workers, were active; exact to an hour."""
    await session.execute(
        update(_users)
        .where(_users.c.id.in_(user_ids), _users.c.last_active_at < at - ACTIVE_WRITTEN_EVERY)
        .values(last_active_at=at)
    )


def _refuse_anonymous(user: User) -> None:
    if user.is_anonymous:
        raise AnonForbidden("The anonymous user cannot be changed.")
