"""What was asked for in guilds, for their moderators; kept for some days."""

from datetime import datetime
from typing import Final

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import AnyRow, now, table
from bot.store.tables import PromptRow

_PROMPTS: Final = table(PromptRow)
MAX_TOLD: Final = 1000


async def add(
    connection: AsyncConnection, *, guild_id: int, user_id: int, kind: str, prompt: str
) -> None:
    """Note a prompt."""
    values = {"guild_id": guild_id, "user_id": user_id, "kind": kind, "prompt": prompt}
    await connection.execute(insert(_PROMPTS).values(**values, created=now()))


async def of_guild(
    connection: AsyncConnection, guild_id: int, user_id: int | None = None
) -> list[AnyRow]:
    """The latest prompts of a guild, newest first."""
    asked = select(_PROMPTS).where(_PROMPTS.c.guild_id == guild_id)
    if user_id is not None:
        asked = asked.where(_PROMPTS.c.user_id == user_id)
    found = await connection.execute(asked.order_by(_PROMPTS.c.created.desc()).limit(MAX_TOLD))
    return list(found)


async def forget(
    connection: AsyncConnection, before: datetime, guild_id: int | None = None
) -> None:
    """Delete older ones, of one guild or of all."""
    old = _PROMPTS.c.created < before
    if guild_id is not None:
        old &= _PROMPTS.c.guild_id == guild_id
    await connection.execute(delete(_PROMPTS).where(old))
