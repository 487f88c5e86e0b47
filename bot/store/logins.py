"""Logins of Discord's users at the horde; keys are sealed before they come here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import now, table
from bot.store.tables import LoginRow

_LOGINS: Final = table(LoginRow)
_COLUMNS: Final = [column for column in _LOGINS.c if column.name != "created"]


@dataclass(frozen=True)
class Login:
    """One row of `logins`."""

    user_id: int
    sealed: str
    alias: str
    horde_id: int


async def put(connection: AsyncConnection, login: Login) -> None:
    """Store a login instead of an earlier one."""
    await drop(connection, login.user_id)
    await connection.execute(insert(_LOGINS).values(**vars(login), created=now()))


async def drop(connection: AsyncConnection, user_id: int) -> bool:
    """Forget a login. Returns whether there was one."""
    gone = await connection.execute(delete(_LOGINS).where(_LOGINS.c.user_id == user_id))
    return gone.rowcount > 0


async def get(connection: AsyncConnection, user_id: int) -> Login | None:
    """A user's login."""
    found = await connection.execute(select(*_COLUMNS).where(_LOGINS.c.user_id == user_id))
    row = found.first()
    return None if row is None else Login(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name


async def every(connection: AsyncConnection) -> Sequence[Login]:
    """All logins."""
    return [Login(**row._mapping) for row in await connection.execute(select(*_COLUMNS))]  # noqa: SLF001
