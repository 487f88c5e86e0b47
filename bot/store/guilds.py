"""What guilds' moderators have set; read once, then kept, as every command asks for it."""

from typing import Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import Database, table
from bot.store.tables import GuildRow

_GUILDS: Final = table(GuildRow)
MAX_BLOCKED: Final = 500
"""Entries of each blocklist."""


class RoleLimits(BaseModel):
    """What members of a role may do; None: no limit of its own."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    at_once: int | None = None
    """Requests at a time."""
    hourly: int | None = None
    """Requests in an hour."""
    pictures: int | None = None
    pixels: int | None = None
    steps: int | None = None
    nsfw: bool = True


class Rules(BaseModel):
    """The settings of one guild. Roles, channels and emojis are named by their ids, as text."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    limits: dict[str, RoleLimits] = Field(default_factory=dict)
    words: list[str] = Field(default_factory=list)
    patterns: list[str] = Field(default_factory=list)
    models: list[str] = Field(default_factory=list)
    """Blocked, as are the styles below."""
    styles: list[str] = Field(default_factory=list)
    emojis: dict[str, int] = Field(default_factory=dict)
    """Kudos that a reaction gives."""
    roles: dict[str, str] = Field(default_factory=dict)
    """Roles for who is logged in, has a worker, or is trusted."""
    news_channel: str | None = None
    alert_channel: str | None = None
    """Where news of the horde go, and workers that come and go."""
    prompt_days: int | None = None
    """Days for which prompts are logged, at most those of the bot's own settings."""
    login_needed: bool = False


class Guilds:
    """The rules of all guilds that were asked for."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[int, Rules] = {}

    async def of(self, guild_id: int | None) -> Rules:
        """A guild's rules; those of nobody outside of guilds."""
        if guild_id is None:
            return Rules()
        if guild_id not in self._known:
            async with self._database.transaction() as connection:
                self._known[guild_id] = await _read(connection, guild_id)
        return self._known[guild_id]

    async def set(self, guild_id: int, rules: Rules) -> None:
        """Store a guild's rules."""
        async with self._database.transaction() as connection:
            await connection.execute(delete(_GUILDS).where(_GUILDS.c.guild_id == guild_id))
            values = rules.model_dump(exclude_defaults=True)
            await connection.execute(insert(_GUILDS).values(guild_id=guild_id, rules=values))
        self._known[guild_id] = rules

    async def forget(self, guild_id: int) -> None:
        """Delete a guild's rules: the bot was removed."""
        async with self._database.transaction() as connection:
            await connection.execute(delete(_GUILDS).where(_GUILDS.c.guild_id == guild_id))
        self._known.pop(guild_id, None)

    async def every(self) -> dict[int, Rules]:
        """The rules of all guilds that set any."""
        async with self._database.transaction() as connection:
            rows = await connection.execute(select(_GUILDS.c.guild_id, _GUILDS.c.rules))
            return {row.guild_id: Rules.model_validate(row.rules) for row in rows}


async def _read(connection: AsyncConnection, guild_id: int) -> Rules:
    stored = await connection.scalar(select(_GUILDS.c.rules).where(_GUILDS.c.guild_id == guild_id))
    return Rules.model_validate(stored or {})
