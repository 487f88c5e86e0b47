"""Logging in at a service: what is remembered of a browser that was sent there.

A login begins with a state, which comes back with the browser, and a PKCE verifier, which proves
to the service that who began is who ends. Both belong to one browser, so two people who log in at
once never get each other's account, and nobody is logged in by a link that another one sends.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert
from sqlalchemy.ext.asyncio import AsyncSession

from core.accounts.tables import LoginAttempt
from core.db import table
from core.users.keys import Keyring

LIFE = timedelta(minutes=10)

_attempts = table(LoginAttempt)


@dataclass(frozen=True, slots=True)
class Challenge:
    """What goes to the service with the browser: the state, and what the verifier is hashed to."""

    state: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Returned:
    """What was remembered for a browser that is back."""

    verifier: str
    page: str


async def begin(
    session: AsyncSession,
    keyring: Keyring,
    *,
    visitor: str,
    provider: str,
    page: str,
    at: datetime,
) -> Challenge:
    """Remember that a browser goes to log in.

    visitor: the browser's cookie. page: where it wants to be afterwards, one of our names.
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
    session: AsyncSession,
    keyring: Keyring,
    *,
    visitor: str,
    provider: str,
    state: str,
    at: datetime,
) -> Returned | None:
    """What `begin` remembered, once; None where another browser, service or time is asked for."""
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
