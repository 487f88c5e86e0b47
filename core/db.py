"""The database: declarative base, column types, and the two ways to open a session.

`reading()` can only read, `writing()` is one transaction. Two engines are supported:

- SQLite, for one server process. Readers use a pool of query-only connections; writers take turns
  on one connection behind an asyncio lock and begin with `BEGIN IMMEDIATE`, so a writer never
  meets "database is locked" and a reader (WAL) never waits for a writer.
- PostgreSQL. Readers run each statement by itself on connections whose default is read-only,
  which saves the BEGIN and COMMIT round trips; writers have a pool of their own.

Errors of the database do not show statement parameters: prompts and keys' hashes stay out of logs.

Only `core.api`, `core.upkeep` and `core.__main__` open sessions. Below them sessions are passed in,
and nobody commits.
"""

import asyncio
import fcntl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, TypeAlias, cast

import alembic.command
import alembic.config
import structlog
from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Integer,
    MetaData,
    Row,
    Table,
    event,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import NullPool
from sqlalchemy.types import TypeDecorator

from core import remembered
from core.errors import Invalid
from core.remembered import Remembered

POOL_SIZE = 10  # connections for readers and for writers, in each server process
STATEMENT_TIMEOUT_SECONDS = 30
DATA_EXCEPTION = "22"
"""The prefix of SQL error codes for a value out of range, too long or malformed."""

_log = structlog.get_logger(__name__)


class Base(DeclarativeBase):
    """Base of all tables; constraints are named by convention, so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Moment(TypeDecorator[datetime]):
    """An aware UTC time on both engines (SQLite has no time zones: stored as UTC, read back so)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times, which are a defect of the caller."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a naive time: {value}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give SQLite's naive times their zone back."""
        if value is not None and dialect.name == "sqlite":
            return value.replace(tzinfo=UTC)
        return value


AnyRow: TypeAlias = Row[*tuple[Any, ...]]
"""A row of a Core statement: columns by name."""


def table(model: type[Base]) -> Table:
    """The model's table, for the hot statements: Core over tables costs half of the ORM."""
    return cast("Table", model.__table__)


RowId = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers only INTEGER keys by itself
Document = JSON().with_variant(JSONB(), "postgresql")
"""A JSON value: JSONB on PostgreSQL, text on SQLite."""


def now() -> datetime:
    """The present, aware UTC."""
    return datetime.now(UTC)


class Unstorable(Invalid):
    """A number or a text does not fit into the database."""

    code = "BadRequest"


class DatabaseInUse(RuntimeError):
    """Another server process has the database."""


class Database:
    """The engines behind one database URL.

    url: `sqlite+aiosqlite:///path` or `postgresql+asyncpg://…`.
    """

    def __init__(self, url: str) -> None:
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        if self.is_sqlite:
            self._reader = create_async_engine(
                url, pool_size=POOL_SIZE, max_overflow=0, hide_parameters=True
            )
            self._writer = create_async_engine(
                url, pool_size=1, max_overflow=0, hide_parameters=True
            )
            _tune_sqlite(self._reader, query_only=True)
            _tune_sqlite(self._writer, query_only=False)
        else:
            self._reader = _postgres(url, read_only=True).execution_options(
                isolation_level="AUTOCOMMIT"
            )
            self._writer = _postgres(url, read_only=False)
        for engine in (self._reader, self._writer):
            event.listen(engine.sync_engine, "handle_error", _tell_unstorable)
        self._remembered = Remembered()
        self._remembered.watch(self._writer.sync_engine)
        self._turn = asyncio.Lock()
        self._held: IO[str] | None = None

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session that can only read. Hold it for as short as possible, never while waiting."""
        async with self._session(self._reader) as session:
            yield session

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed when the block ends, rolled back if it raises."""
        if self.is_sqlite:
            async with self._turn, self._transaction() as session:
                yield session
        else:
            async with self._transaction() as session:
                yield session

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncSession]:
        async with (
            self._session(self._writer) as session,
            session.begin(),
        ):
            yield session

    def _session(self, engine: AsyncEngine) -> AsyncSession:
        return AsyncSession(
            engine, expire_on_commit=False, info={remembered.INFO: self._remembered}
        )

    def hold_alone(self) -> None:
        """Be the one server process that a SQLite database has, until `close`.

        Raises DatabaseInUse if another one is. PostgreSQL serves any number.
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


def _tell_unstorable(failed: ExceptionContext) -> None:
    """Raise Unstorable for a value that no database holds, or not this column.

    The sender is told so. The log says where it went, but not what it is: if the server made the
    value, the fault has to be found.
    """
    error = failed.original_exception
    is_beyond = isinstance(error, OverflowError | UnicodeError)  # as the drivers of SQLite have it
    if is_beyond or str(getattr(error, "sqlstate", "")).startswith(DATA_EXCEPTION):
        _log.warning("unstorable", statement=failed.statement)
        raise Unstorable("A number or a text in the request is beyond what can be stored.")


def _postgres(url: str, *, read_only: bool) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=POOL_SIZE,
        max_overflow=POOL_SIZE,
        pool_timeout=STATEMENT_TIMEOUT_SECONDS,
        hide_parameters=True,
        connect_args={
            "server_settings": {
                "application_name": "horde",
                "jit": "off",  # statements here are short; compiling them costs more than running
                "timezone": "UTC",
                "default_transaction_read_only": "on" if read_only else "off",
                "statement_timeout": str(STATEMENT_TIMEOUT_SECONDS * 1000),
            }
        },
    )


def _tune_sqlite(engine: AsyncEngine, *, query_only: bool) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def _connect(connection: Any, _record: object) -> None:  # noqa: ANN401 - a DBAPI connection
        connection.isolation_level = None  # we say BEGIN ourselves, below
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA busy_timeout = 10000")  # ms; other processes: backup, upkeep
        if query_only:
            cursor.execute("PRAGMA query_only = ON")
        cursor.close()

    if not query_only:

        @event.listens_for(engine.sync_engine, "begin")
        def _begin(connection: Any) -> None:  # noqa: ANN401 - SQLAlchemy's own type is private here
            connection.exec_driver_sql("BEGIN IMMEDIATE")

        @event.listens_for(engine.sync_engine, "invalidate")
        def _invalidate(connection: Any, _record: object, _error: object) -> None:  # noqa: ANN401
            # A cancelled writer's cursors live as long as its traceback does, and until they go a
            # closed connection keeps its lock.
            connection.rollback()


def migrate(url: str) -> None:
    """Upgrade the database at `url` to the newest schema (`alembic upgrade head`).

    Runs its own event loop: call it from a thread where one is running already.
    """
    alembic.command.upgrade(alembic_config(url), "head")


def alembic_config(url: str) -> alembic.config.Config:
    """Alembic's settings for the database at `url`; the migrations lie beside the packages."""
    config = alembic.config.Config()
    config.set_main_option("script_location", str(Path(__file__).parent.parent / "alembic"))
    config.attributes["url"] = url
    return config


def plain_engine(url: str) -> AsyncEngine:
    """An engine without pool or tuning, for migrations."""
    return create_async_engine(url, poolclass=NullPool)
