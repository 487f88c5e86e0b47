"""The driver's connection behind one of SQLAlchemy's, for what needs nothing else of SQLAlchemy."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, Final, Self

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from core import engines

BEGIN: Final = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "BEGIN"}
CONSTRAINT: Final = "23"
"""The prefix of SQL error codes for what breaks a constraint."""


class Driver:
    """Runs statements as the driver does, with the errors of SQLAlchemy."""

    def __init__(self, connection: AsyncConnection, driver: Any) -> None:  # noqa: ANN401 - either's
        self.connection: Final = connection
        self._driver = driver
        self._engine = connection.dialect.name

    @classmethod
    async def behind(cls, connection: AsyncConnection) -> Self:
        """The driver's connection that is behind `connection`."""
        return cls(connection, (await connection.get_raw_connection()).driver_connection)

    async def fetch(self, sql: str, values: Sequence[Any] = ()) -> Iterable[Sequence[Any]]:
        """Run a statement, and get its rows. Raises DBAPIError, as SQLAlchemy does; Unstorable.

        Where it is cancelled, its connection goes: what is under way in it would come to the next.
        """
        rows: Iterable[Sequence[Any]]
        try:
            if self._engine == "sqlite":
                rows = await self._driver.execute_fetchall(sql, values)
            else:
                rows = await self._driver.fetch(sql, *values)
        except Exception as error:
            engines.check_storable(error, sql)
            if is_lost := self._engine == "postgresql" and self._driver.is_closed():
                await self.connection.invalidate(error)
            kind = IntegrityError if _breaks_a_constraint(error) else DBAPIError
            raise kind(
                sql, None, error, hide_parameters=True, connection_invalidated=is_lost
            ) from error
        except BaseException as stopped:
            await self.connection.invalidate(stopped)
            raise
        return rows

    async def begin(self) -> None:
        """Begin a transaction; on SQLite with the lock for writing, so that none fails halfway."""
        await self.fetch(BEGIN[self._engine])

    async def commit(self) -> None:
        """Make the transaction good. If it fails, nothing of it is."""
        try:
            await self.fetch("COMMIT")
        except Exception:  # whatever it is, no half of it may stay for the next
            await self.roll_back()
            raise

    async def roll_back(self) -> None:
        """Undo the transaction. A connection that cannot is given up, which undoes it, too."""
        if self.connection.invalidated:
            return
        try:
            await self.fetch("ROLLBACK")
        except DBAPIError as error:
            await self.connection.invalidate(error)


def _breaks_a_constraint(error: Exception) -> bool:
    is_told = str(getattr(error, "sqlstate", "")).startswith(CONSTRAINT)
    return is_told or isinstance(error, sqlite3.IntegrityError)
