"""Alembic's entry: runs the migrations against the URL that `core.schema.alembic_config` was given.

Two that migrate at once take turns, and the second finds nothing to do: on PostgreSQL by an
advisory lock, on SQLite by the one writer's turn. All migrations are one transaction there.
"""

import asyncio
from typing import Any, Final, Literal

from alembic import context
from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine

from core import schema, tables
from core.columns import Moment
from core.engines import plain_engine

TURN: Final = 0x686F726465  # "horde": the advisory lock of those who migrate
TURN_TIMEOUT: Final = "10min"
"""For another's migration to end."""
LOCK_TIMEOUT: Final = "4s"
"""For a table's lock: calls that need the table wait as long."""
STATEMENT_TIMEOUT: Final = "15min"
SQLITE_TURN_MS: Final = 600_000


def _render(kind: str, item: object, _context: object) -> str | Literal[False]:
    """Migrations name SQLAlchemy's own types: they must run when our classes have moved on."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, Moment) else False


def _run(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        _take_turn(connection)
    context.configure(
        connection=connection,
        target_metadata=tables.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        transactional_ddl=True,  # SQLite can, too, once we say BEGIN ourselves
        compare_type=True,
        render_item=_render,
    )
    with context.begin_transaction():
        schema.require_ours(connection)
        context.run_migrations()


def _take_turn(connection: Connection) -> None:
    """Be the one that migrates, until the connection ends."""
    connection.exec_driver_sql(f"SET lock_timeout = '{TURN_TIMEOUT}'")
    connection.exec_driver_sql(f"SELECT pg_advisory_lock({TURN})")
    connection.exec_driver_sql(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
    connection.exec_driver_sql(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'")
    connection.commit()


def _take_turns(engine: AsyncEngine) -> None:
    """Let SQLite's transactions begin as writers, so that two never meet halfway."""

    @event.listens_for(engine.sync_engine, "connect")
    def _connect(connection: Any, _record: object) -> None:  # noqa: ANN401 - a DBAPI connection
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {SQLITE_TURN_MS}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:  # noqa: ANN401 - SQLAlchemy's own type is private here
        connection.exec_driver_sql("BEGIN IMMEDIATE")


async def _main() -> None:
    engine = plain_engine(context.config.attributes["url"])
    if engine.dialect.name == "sqlite":
        _take_turns(engine)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_run)
            await connection.commit()
    finally:
        await engine.dispose()


asyncio.run(_main())
