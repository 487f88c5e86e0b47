"""Small things to remember, by name."""

from typing import Final

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import table
from bot.store.tables import NoteRow

_NOTES: Final = table(NoteRow)


async def get(connection: AsyncConnection, name: str) -> str | None:
    """What was noted."""
    return await connection.scalar(select(_NOTES.c.value).where(_NOTES.c.name == name))


async def put(connection: AsyncConnection, name: str, value: str) -> None:
    """Note it instead of what was noted before."""
    await connection.execute(delete(_NOTES).where(_NOTES.c.name == name))
    await connection.execute(insert(_NOTES).values(name=name, value=value))
