"""Who calls: found out before a call is counted by its key and before it may write.

SQLite has one writer: a call with a made-up key must not take its turn. So the key or session that
was sent is looked up in a reading session first. Good ones are known for a minute, which saves the
look-up and permits nothing: writing transactions read the user again. If a caller only needs the id
of a request, that is looked up first in the same way.
"""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from quart import g

from core.api import context
from core.db import Writing
from core.errors import Unauthenticated
from core.generation import status


@asynccontextmanager
async def writing() -> AsyncIterator[Writing]:
    """A transaction for a caller with a good key or session. Raises what `context.user` does."""
    await recognise()
    async with context.server().database.writing() as session:
        yield session


async def recognise() -> int:
    """The id of the user whose key or session was sent. Raises what `context.user` does."""
    sent = context.api_key()
    known = context.server().known
    if sent and (user_id := known.get(_digest(sent))) is not None:
        return user_id
    if (refused := g.get("unrecognised")) is not None and refused[0] == sent:
        raise refused[1]
    try:
        async with context.server().database.reading() as session:
            user_id = (await context.user(session)).id
    except Unauthenticated as error:
        g.unrecognised = (sent, error)
        raise
    return known.put(_digest(sent), user_id)


async def user_id() -> int | None:
    """The id of the user whose key or session was sent; None if there is none."""
    try:
        return await recognise()
    except Unauthenticated:
        return None


@asynccontextmanager
async def writing_to(request_id: str, *, kind: str | None = None) -> AsyncIterator[Writing]:
    """A transaction for a caller who knows the id of a request. Raises RequestNotFound."""
    server = context.server()
    async with server.database.reading() as session:
        await status.look(session, server.horde, request_id, kind=kind)
    async with server.database.writing() as session:
        yield session


def _digest(key: str) -> str:
    """A digest that names a known key: no key is kept in the clear."""
    raw = key.encode(errors="surrogateescape")
    return hashlib.blake2b(raw, digest_size=16).hexdigest()
