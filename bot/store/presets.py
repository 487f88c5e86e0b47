"""Users' settings of pictures: those in use, and those saved under a name."""

from typing import Any, Final

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import table
from bot.store.tables import PresetRow

_PRESETS: Final = table(PresetRow)
IN_USE: Final = ""
MAX_PRESETS: Final = 25


async def get(
    connection: AsyncConnection, user_id: int, name: str = IN_USE
) -> dict[str, Any] | None:
    """The options under a name."""
    return await connection.scalar(select(_PRESETS.c.options).where(_named(user_id, name)))


async def put(
    connection: AsyncConnection, user_id: int, options: dict[str, Any], name: str = IN_USE
) -> None:
    """Store options instead of earlier ones."""
    await drop(connection, user_id, name)
    await connection.execute(insert(_PRESETS).values(user_id=user_id, name=name, options=options))


async def drop(connection: AsyncConnection, user_id: int, name: str) -> bool:
    """Delete options. Returns whether there were any."""
    gone = await connection.execute(delete(_PRESETS).where(_named(user_id, name)))
    return gone.rowcount > 0


async def names(connection: AsyncConnection, user_id: int) -> list[str]:
    """The names of a user's presets."""
    mine = (_PRESETS.c.user_id == user_id) & (_PRESETS.c.name != IN_USE)
    found = await connection.execute(select(_PRESETS.c.name).where(mine).order_by(_PRESETS.c.name))
    return [row.name for row in found]


def _named(user_id: int, name: str) -> Any:  # noqa: ANN401 - a condition
    return (_PRESETS.c.user_id == user_id) & (_PRESETS.c.name == name)
