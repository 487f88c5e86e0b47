"""The database, and the two kinds of session.

A `Reading` can only read, a `Writing` is one transaction. Two engines are supported:

- SQLite, for one server process. Readers use a pool of query-only connections; writers take turns
  on one connection behind an asyncio lock and begin with `BEGIN IMMEDIATE`, so a writer never
  meets "database is locked" and a reader (WAL) never waits for a writer.
- PostgreSQL. Readers run each statement by itself on connections whose default is read-only,
  which saves the BEGIN and COMMIT round trips; writers have a pool of their own.

Only `core.api`, `core.upkeep` and `core.__main__` open sessions. Below them sessions are passed in,
and nobody commits.
"""

import asyncio
import fcntl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Never, Self, TypeAlias, TypeVar, TypeVarTuple, cast, overload

from sqlalchemy import (
    CompoundSelect,
    CursorResult,
    Executable,
    Result,
    ScalarResult,
    Select,
    Table,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import PendingRollbackError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql.selectable import TypedReturnsRows

from core import engines
from core.columns import Base
from core.driver import Driver
from core.prepared import Compiled
from core.remembered import Remembered

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

Value: TypeAlias = Any
"""What a column holds, where a statement does not say it."""
Columns: TypeAlias = tuple[Value, ...]
Readable: TypeAlias = Select[*Columns] | CompoundSelect[*Columns]
Parameters: TypeAlias = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None
"""The values of a statement; it runs once for each of several."""


def table(model: type[Base]) -> Table:
    """The model's table: statements are about tables, so that what they bring are plain rows."""
    return cast("Table", model.__table__)


def now() -> datetime:
    """The present, aware UTC."""
    return datetime.now(UTC)


class Reading:
    """A session that can only read: mypy lets it run nothing else, nor does its connection.

    It takes a connection at its first statement, so a session that asks nothing costs nothing. Who
    only reads takes a `Reading`, to which a `Writing` may be passed.
    """

    def __init__(self, engine: AsyncEngine, remembered: Remembered, compiled: Compiled) -> None:
        self.remembered = remembered
        """The rows of this database that are remembered for a moment."""
        self._engine = engine
        self._compiled = compiled
        self._connection: AsyncConnection | None = None
        self._driver: Driver | None = None

    @property
    def engine(self) -> str:
        """The name of the engine: `sqlite` or `postgresql`."""
        return self._engine.dialect.name

    async def connection(self) -> AsyncConnection:
        """The connection, for what no statement says."""
        if self._connection is None:
            self._connection = await self._engine.connect()
        return self._connection

    @overload
    async def execute(
        self, statement: Select[*_Ts], parameters: Parameters = None
    ) -> Result[*_Ts]: ...

    @overload
    async def execute(
        self, statement: CompoundSelect[*_Ts], parameters: Parameters = None
    ) -> Result[*_Ts]: ...

    async def execute(self, statement: Executable, parameters: Parameters = None) -> Any:
        """Run the statement; returns its rows."""
        return await self._run(statement, parameters)

    @overload  # first, because mypy finds no type in a row of any columns (its issue 20651)
    async def scalar(self, statement: Select[Never], parameters: Parameters = None) -> Value: ...

    @overload
    async def scalar(self, statement: Select[_T], parameters: Parameters = None) -> _T | None: ...

    @overload
    async def scalar(self, statement: Readable, parameters: Parameters = None) -> Value: ...

    async def scalar(self, statement: Executable, parameters: Parameters = None) -> Any:
        """Run the statement; returns the first column of its first row, None without a row."""
        return (await self._run(statement, parameters)).scalar()

    @overload
    async def scalars(
        self, statement: Select[_T], parameters: Parameters = None
    ) -> ScalarResult[_T]: ...

    @overload
    async def scalars(
        self, statement: Readable, parameters: Parameters = None
    ) -> ScalarResult[Any]: ...

    async def scalars(self, statement: Executable, parameters: Parameters = None) -> Any:
        """Run the statement; returns the first column of each row."""
        return (await self._run(statement, parameters)).scalars()

    async def _run(self, statement: Executable, parameters: Parameters) -> Result[*Columns]:
        connection = await self.connection()
        prepared = self._compiled.get(statement)
        if prepared is None or isinstance(parameters, Sequence):
            return await connection.execute(statement, parameters)
        if self._driver is None:
            self._driver = await Driver.behind(connection)
        return await prepared.run(self._driver, parameters or {})

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._connection is not None:
            await self._connection.__aexit__(None, None, None)  # shielded, and rolls back


class Writing(Reading):
    """One transaction: it ends with the block, and whoever has it may read and write.

    To SQLAlchemy its statements are single ones: the driver begins and ends the transaction, which
    takes half the time.
    """

    async def connection(self) -> AsyncConnection:
        """The connection, within the transaction. Raises PendingRollbackError once it was lost."""
        if self._connection is None:
            connection = await self._engine.connect()
            try:
                driver = await Driver.behind(connection)
                await driver.begin()
            except BaseException:
                await connection.__aexit__(None, None, None)
                raise
            self._connection, self._driver = connection, driver
        elif self._connection.invalidated:  # another would be taken, outside of the transaction
            raise PendingRollbackError("The connection was lost, and the transaction with it.")
        return self._connection

    @overload
    async def execute(
        self, statement: TypedReturnsRows[*_Ts], parameters: Parameters = None
    ) -> CursorResult[*_Ts]: ...

    @overload
    async def execute(
        self, statement: Executable, parameters: Parameters = None
    ) -> CursorResult[*Columns]: ...

    async def execute(self, statement: Executable, parameters: Parameters = None) -> Any:
        """Run the statement; returns its rows."""
        return await self._run(statement, parameters)

    @overload
    async def scalar(
        self, statement: TypedReturnsRows[Never], parameters: Parameters = None
    ) -> Value: ...

    @overload
    async def scalar(
        self, statement: TypedReturnsRows[_T], parameters: Parameters = None
    ) -> _T | None: ...

    @overload
    async def scalar(self, statement: Executable, parameters: Parameters = None) -> Value: ...

    async def scalar(self, statement: Executable, parameters: Parameters = None) -> Any:
        """Run the statement; returns the first column of its first row, None without a row."""
        return (await self._run(statement, parameters)).scalar()

    @overload
    async def scalars(
        self, statement: TypedReturnsRows[_T], parameters: Parameters = None
    ) -> ScalarResult[_T]: ...

    @overload
    async def scalars(
        self, statement: Executable, parameters: Parameters = None
    ) -> ScalarResult[Any]: ...

    async def scalars(self, statement: Executable, parameters: Parameters = None) -> Any:
        """Run the statement; returns the first column of each row."""
        return (await self._run(statement, parameters)).scalars()

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if self._driver is not None:
                if kind is None:
                    await self.connection()
                    await self._driver.commit()
                else:
                    await self._driver.roll_back()
        finally:
            await super().__aexit__(kind)


class DatabaseInUse(RuntimeError):
    """Another server process has the database."""


class Database:
    """The engines behind one database URL.

    url: `sqlite+aiosqlite:///path` or `postgresql+asyncpg://…`.
    """

    def __init__(self, url: str) -> None:
        self.is_sqlite = engines.is_sqlite(url)
        self._reader = engines.reader(url)
        self._writer = engines.writer(url)
        self._remembered = Remembered()
        self._remembered.watch(self._writer.sync_engine)
        self._compiled = Compiled(self._reader.dialect)
        self._turn = asyncio.Lock()
        self._held: IO[str] | None = None

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Reading]:
        """A session that can only read. Hold it for as short as possible, never while waiting."""
        async with Reading(self._reader, self._remembered, self._compiled) as session:
            yield session

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Writing]:
        """One transaction: committed when the block ends, rolled back if it raises."""
        if self.is_sqlite:
            async with (
                self._turn,
                Writing(self._writer, self._remembered, self._compiled) as session,
            ):
                yield session
        else:
            async with Writing(self._writer, self._remembered, self._compiled) as session:
                yield session

    def hold_alone(self) -> None:
        """Be the one server process that a SQLite database has, until `close`.

        Raises DatabaseInUse where another one is. PostgreSQL serves as many as there are.
        """
        path = make_url(str(self._writer.url)).database
        if not self.is_sqlite or not path:
            return
        held = Path(f"{path}.lock").open("w")  # noqa: SIM115 - held open until `close`
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held.close()
            raise DatabaseInUse(
                f"Another server process uses {path}. SQLite serves one; use PostgreSQL for more."
            ) from None
        self._held = held

    async def close(self) -> None:
        """Close all connections."""
        await self._reader.dispose()
        await self._writer.dispose()
        if self._held is not None:
            self._held.close()
            self._held = None
