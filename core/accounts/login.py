"""Logging in at a service: what is stored about a browser that was sent there.

A login begins with a state, which comes back with the browser, and a PKCE verifier, which proves to
the service that the login is finished by whoever began it. Both belong to one browser, so two
people who log in at once never get each other's account, and nobody can be logged in by somebody
else's link.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert

from core.accounts.tables import LoginAttempt
from core.db import Writing, table
from core.users.keys import Keyring

LIFE = timedelta(minutes=10)

_attempts = table(LoginAttempt)


@dataclass(frozen=True, slots=True)
class Challenge:
    """What goes to the service with the browser: the state, and the hash of the verifier."""

    state: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Returned:
    """What was stored for a browser that has come back."""

    verifier: str
    page: str


async def begin(
    session: Writing,
    keyring: Keyring,
    *,
    visitor: str,
    provider: str,
    page: str,
    at: datetime,
) -> Challenge:
    """Record that a browser is sent to log in.

    visitor: the browser's cookie. page: the name of the page to return to.
    """
    challenge = Challenge(secrets.token_urlsafe(32), secrets.token_urlsafe(48))
    await session.execute(
        insert(_attempts).values(
            state_hash=keyring.keyed("login-state", challenge.state),
            visitor_hash=keyring.keyed("login-visitor", visitor),
            provider=provider,
            verifier=challenge.verifier,
            page=page,
            expires_at=at + LIFE,
        )
    )
    return challenge


async def finish(
    session: Writing,
    keyring: Keyring,
    *,
    visitor: str,
    provider: str,
    state: str,
    at: datetime,
) -> Returned | None:
    """What `begin` stored, once only; None for another browser, another service, or too late."""
    found = await session.execute(
        delete(_attempts)
        .where(
            _attempts.c.state_hash == keyring.keyed("login-state", state),
            _attempts.c.visitor_hash == keyring.keyed("login-visitor", visitor),
            _attempts.c.provider == provider,
            _attempts.c.expires_at > at,
        )
        .returning(_attempts.c.verifier, _attempts.c.page)
    )
    row = found.first()
    return None if row is None else Returned(row.verifier, row.page)
