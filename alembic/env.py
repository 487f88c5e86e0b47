"""Alembic's entry: runs the migrations against the URL that `core.db.alembic_config` was given."""

import asyncio
from typing import Literal

from alembic import context
from sqlalchemy import Connection

from core import tables
from core.db import Moment, plain_engine


def _render(kind: str, item: object, _context: object) -> str | Literal[False]:
    """Migrations name SQLAlchemy's own types: they must run when our classes have moved on."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, Moment) else False


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=tables.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        render_item=_render,
    )
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET lock_timeout = '4s'")
        connection.commit()
    with context.begin_transaction():
        context.run_migrations()


async def _main() -> None:
    engine = plain_engine(context.config.attributes["url"])
    async with engine.connect() as connection:
        await connection.run_sync(_run)
        await connection.commit()
    await engine.dispose()


asyncio.run(_main())
