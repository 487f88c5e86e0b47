"""Alembic's entry: runs the bot's migrations against the URL that `bot.store.database` gives."""

import asyncio
from typing import Literal

from alembic import context
from sqlalchemy import Connection

from bot.store.database import engine
from bot.store.tables import Base, Moment


def _render(kind: str, item: object, _context: object) -> str | Literal[False]:
    """Migrations name SQLAlchemy's own types: they must run when our classes have moved on."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, Moment) else False


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        render_item=_render,
    )
    with context.begin_transaction():
        context.run_migrations()


async def _main() -> None:
    opened = engine(context.config.attributes["url"])
    try:
        async with opened.connect() as connection:
            await connection.run_sync(_run)
            await connection.commit()
    finally:
        await opened.dispose()


asyncio.run(_main())
