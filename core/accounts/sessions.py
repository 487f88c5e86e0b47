"""Sessions: who is behind a browser's cookie, or behind a program's token.

A token is 256 random bits, stored as a keyed hash; whoever has the database cannot log in with it.
A session ends at its expiry, by logging out, or when another takes its place. Tokens hashed under
a former master secret are no longer known: rotating the secret logs everybody out.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, select

from core.accounts.tables import LoginAttempt, LoginCode, SignedIn
from core.db import Reading, Writing, table
from core.users import directory
from core.users.keys import Keyring
from core.users.tables import User

PURPOSE = "session"
PROGRAM_PREFIX = "hs."
"""What a program's token begins with, and no API key: no key has a dot in it."""
MAX_TOKEN_CHARACTERS = 64
PROGRAM_LIFE = timedelta(days=365)

_sessions, _attempts, _codes = table(SignedIn), table(LoginAttempt), table(LoginCode)


@dataclass(frozen=True, slots=True)
class Person:
    """Who logged in: a user, or somebody known to a login service who may register."""

    user: User | None
    oauth_id: str | None


def new_token() -> str:
    """A token for a browser: 43 URL-safe characters."""
    return secrets.token_urlsafe(32)


async def begin(
    session: Writing,
    keyring: Keyring,
    *,
    at: datetime,
    life: timedelta,
    user_id: int | None = None,
    oauth_id: str | None = None,
) -> str:
    """Begin a browser's session. Returns the token for its cookie.

    Exactly one of user_id and oauth_id is given. The token is always a new one: what a browser
    sent before it logged in may be known to others (session fixation).
    """
    token = new_token()
    await _add(
        session, keyring, token, user_id=user_id, oauth_id=oauth_id, at=at, expires_at=at + life
    )
    return token


async def begin_program(
    session: Writing, keyring: Keyring, user_id: int, *, at: datetime
) -> tuple[str, datetime]:
    """Log a program in for PROGRAM_LIFE. Returns its token and the token's expiry."""
    token = PROGRAM_PREFIX + new_token()
    expires_at = at + PROGRAM_LIFE
    await _add(
        session, keyring, token, user_id=user_id, oauth_id=None, at=at, expires_at=expires_at
    )
    return token, expires_at


async def _add(
    session: Writing,
    keyring: Keyring,
    token: str,
    *,
    user_id: int | None,
    oauth_id: str | None,
    at: datetime,
    expires_at: datetime,
) -> None:
    await session.execute(
        insert(_sessions).values(
            token_hash=keyring.keyed(PURPOSE, token),
            user_id=user_id,
            oauth_id=oauth_id,
            is_program=token.startswith(PROGRAM_PREFIX),
            created_at=at,
            expires_at=expires_at,
        )
    )


async def person(session: Reading, keyring: Keyring, token: str, *, at: datetime) -> Person | None:
    """Who is behind a token; None if no running session has it."""
    if len(token) > MAX_TOKEN_CHARACTERS:
        return None
    found = await session.execute(
        select(_sessions.c.user_id, _sessions.c.oauth_id).where(
            _sessions.c.token_hash == keyring.keyed(PURPOSE, token), _sessions.c.expires_at > at
        )
    )
    row = found.first()
    if row is None:
        return None
    if row.user_id is None:
        return Person(None, row.oauth_id)
    return Person(await directory.by_id(session, row.user_id), None)


async def end(session: Writing, keyring: Keyring, token: str) -> None:
    """End the session with this token, if there is one."""
    if len(token) <= MAX_TOKEN_CHARACTERS:
        await session.execute(
            delete(_sessions).where(_sessions.c.token_hash == keyring.keyed(PURPOSE, token))
        )


async def end_all(session: Writing, user_id: int) -> None:
    """Log a user out everywhere, programs too; a code that was shown becomes invalid."""
    for each in (_sessions, _codes):
        await session.execute(delete(each).where(each.c.user_id == user_id))


async def programs(session: Reading, user_id: int, *, at: datetime) -> int:
    """How many programs are logged in as this user."""
    counted = await session.scalar(
        select(func.count()).where(
            _sessions.c.user_id == user_id, _sessions.c.is_program, _sessions.c.expires_at > at
        )
    )
    return counted or 0


async def forget(session: Writing, *, at: datetime, limit: int) -> bool:
    """Delete up to `limit` each of sessions, login attempts and codes that expired.

    Returns whether there may be more.
    """
    more = False
    for each in (_sessions, _attempts, _codes):
        (key,) = each.primary_key.columns
        due = select(key).where(each.c.expires_at <= at).limit(limit).scalar_subquery()
        gone = await session.execute(delete(each).where(key.in_(due)).returning(key))
        more |= len(gone.all()) == limit
    return more
