"""Requests that a client may ask for again after a lost answer: they have an Idempotency-Key.

The key counts for one user and as long as its request lives, for after that there is nothing that
an answer could lead to.
"""

import hashlib
from dataclasses import dataclass
from typing import Any, NamedTuple, Self
from uuid import UUID

from sqlalchemy import bindparam, select

from core import dialects
from core.db import Writing, table
from core.queue.tables import RequestRow

_requests = table(RequestRow)


class ClientKey(NamedTuple):
    """An Idempotency-Key and what was sent with it, as digests."""

    key: str
    body: str

    @classmethod
    def of(cls, key: str, body: bytes) -> Self:
        """The digests. key: as the client sent it."""
        return cls(_digest(key.encode(errors="surrogateescape")), _digest(body))


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """A request that was asked for with a key."""

    id: UUID
    terms: dict[str, Any]
    body_digest: str | None


async def before(session: Writing, user_id: int, client_key: ClientKey) -> Earlier | None:
    """The request that the user's key stands for; None: none yet.

    Until the transaction ends nobody else asks with this key, so that of two calls at once the
    second one finds the request of the first.
    """
    await dialects.take_turn(session, f"{user_id} {client_key.key}")
    named = await session.execute(_BEFORE, {"user": user_id, "key": client_key.key})
    row = named.mappings().first()
    return None if row is None else Earlier(**row)


_BEFORE = select(_requests.c.id, _requests.c.terms, _requests.c.body_digest).where(
    _requests.c.user_id == bindparam("user"), _requests.c.client_key == bindparam("key")
)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
