"""The engines of a database: how connections are opened, tuned and given back.

Errors of the database do not show statement parameters: prompts and keys' hashes stay out of logs.
"""

from typing import Any, Final

import structlog
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from core.errors import Invalid

POOL_SIZE = 10  # SQLite's readers, in each server process
POSTGRES_POOL_SIZE = 20  # the same for readers and for writers on PostgreSQL
STATEMENT_TIMEOUT_SECONDS = 30
DATA_EXCEPTION = "22"
"""The prefix of SQL error codes for a value out of range, too long or malformed."""

_EACH_BY_ITSELF: Final = {"isolation_level": "AUTOCOMMIT", "skip_autocommit_rollback": True}
"""To SQLAlchemy statements are transactions of their own: it begins none and rolls nothing back."""

_log = structlog.get_logger(__name__)


class Unstorable(Invalid):
    """A number or a text does not fit into the database."""

    code = "BadRequest"


def is_sqlite(url: str) -> bool:
    """Whether the database at `url` is SQLite; else it is PostgreSQL."""
    return make_url(url).get_backend_name() == "sqlite"


def reader(url: str) -> AsyncEngine:
    """The engine whose connections can only read, each statement by itself."""
    if is_sqlite(url):
        engine = _sqlite(url, pool_size=POOL_SIZE, **_EACH_BY_ITSELF)
        _tune_sqlite(engine, query_only=True)
    else:
        engine = _postgres(url, read_only=True, **_EACH_BY_ITSELF)
    event.listen(engine.sync_engine, "handle_error", _tell_unstorable)
    return engine


def writer(url: str) -> AsyncEngine:
    """The engine whose connections write, in transactions that `core.db` begins and ends."""
    if is_sqlite(url):
        engine = _sqlite(url, pool_size=1, **_EACH_BY_ITSELF)
        _tune_sqlite(engine, query_only=False)
    else:
        engine = _postgres(url, read_only=False, **_EACH_BY_ITSELF)
    event.listen(engine.sync_engine, "handle_error", _tell_unstorable)
    return engine


def _tell_unstorable(failed: ExceptionContext) -> None:
    """Raise Unstorable for a value that no database holds, or not this column.

    The sender is told so. The log says where it went, but not what it is: if the server made the
    value, the fault has to be found.
    """
    check_storable(failed.original_exception, failed.statement)


def check_storable(error: BaseException, statement: str | None) -> None:
    """Raise Unstorable where that is what this error says."""
    is_beyond = isinstance(error, OverflowError | UnicodeError)  # as the drivers of SQLite have it
    if is_beyond or str(getattr(error, "sqlstate", "")).startswith(DATA_EXCEPTION):
        _log.warning("unstorable", statement=statement)
        raise Unstorable("A number or a text in the request is beyond what can be stored.")


def _sqlite(url: str, *, pool_size: int, **more: Any) -> AsyncEngine:  # noqa: ANN401 - options
    return create_async_engine(
        url, pool_size=pool_size, max_overflow=0, hide_parameters=True, **more
    )


def _postgres(url: str, *, read_only: bool, **more: Any) -> AsyncEngine:  # noqa: ANN401 - options
    engine = create_async_engine(
        url,
        # A connection learns the types and plans each statement some times, which costs more than
        # hundreds of statements do: so none is closed after a rush, and the warmest goes first.
        pool_size=POSTGRES_POOL_SIZE,
        max_overflow=0,
        pool_use_lifo=True,
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
        **more,
    )

    @event.listens_for(engine.sync_engine, "checkout")
    def _replace_lost(connection: Any, _record: object, _proxy: object) -> None:  # noqa: ANN401
        # After a restart of the database all are lost: else each of them fails somebody once.
        if connection.driver_connection.is_closed():
            raise InvalidatePoolError("The connection was lost.")

    return engine


def _tune_sqlite(engine: AsyncEngine, *, query_only: bool) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def _connect(connection: Any, _record: object) -> None:  # noqa: ANN401 - a DBAPI connection
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA busy_timeout = 10000")  # ms; other processes: backup, upkeep
        if query_only:
            cursor.execute("PRAGMA query_only = ON")
        cursor.close()

    if not query_only:

        @event.listens_for(engine.sync_engine, "invalidate")
        def _invalidate(connection: Any, _record: object, _error: object) -> None:  # noqa: ANN401
            # A cancelled writer's cursors live as long as its traceback does, and until they go a
            # closed connection keeps its lock.
            connection.rollback()


def plain_engine(url: str) -> AsyncEngine:
    """An engine without pool or tuning, for migrations."""
    return create_async_engine(url, poolclass=NullPool)
