"""The database: SQLite beside the bot, or PostgreSQL; and its migrations."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

from sqlalchemy import Connection, Row, Table, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.store.tables import Base

MIGRATIONS: Final = Path(__file__).parent.parent / "migrations"
_REVISION: Final = re.compile(r'^(revision|down_revision) = "([^"]+)"', re.MULTILINE)
BUSY_MS: Final = 5000

AnyRow: TypeAlias = Row[Any]
"""A row of a statement: columns by name."""


def table(model: type[Base]) -> Table:
    """The model's table: statements are about tables, so that what they bring are plain rows."""
    return cast("Table", model.__table__)


def now() -> datetime:
    """The present, aware UTC."""
    return datetime.now(UTC)


def engine(url: str) -> AsyncEngine:
    """Open the database at `url`; errors do not show what was stored."""
    if make_url(url).get_backend_name() != "sqlite":
        return create_async_engine(url, pool_size=5, hide_parameters=True, pool_pre_ping=True)
    made = create_async_engine(url, pool_size=1, max_overflow=0, hide_parameters=True)

    @event.listens_for(made.sync_engine, "connect")
    def _tune(connection: Any, _record: object) -> None:  # noqa: ANN401 - a DBAPI connection
        cursor = connection.cursor()
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", f"busy_timeout = {BUSY_MS}"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return made


class WrongDatabase(ValueError):
    """The database is not the bot's. The text says what to do."""


class Database:
    """One connection at a time on SQLite, so that nothing ever finds it locked."""

    def __init__(self, url: str) -> None:
        self._engine = engine(url)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Read and write, all or nothing. Nothing else is awaited inside."""
        async with self._engine.begin() as connection:
            yield connection

    async def close(self) -> None:
        """Close all connections."""
        await self._engine.dispose()


async def prepare(url: str) -> None:
    """Bring the database to the newest schema; Alembic is loaded only if it is not there yet."""
    path = make_url(url).database
    if make_url(url).get_backend_name() == "sqlite" and path:
        Path(path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    opened = engine(url)
    try:
        async with opened.connect() as connection:
            stored = await connection.run_sync(_stored)
    finally:
        await opened.dispose()
    known, last = revisions()
    if stored is not None and stored not in known:
        raise WrongDatabase(
            "The database belongs to another program, or to a newer version of the bot: name one "
            "of its own by BOT_DATABASE_URL."
        )
    if stored != last:
        await asyncio.to_thread(migrate, url)


def revisions() -> tuple[set[str], str]:
    """The names of all migrations, and of the last one."""
    named: dict[str, set[str]] = {"revision": set(), "down_revision": set()}
    for file in (MIGRATIONS / "versions").glob("*.py"):
        for which, name in _REVISION.findall(file.read_text()):
            named[which].add(name)
    (last,) = named["revision"] - named["down_revision"]
    return named["revision"], last


def migrate(url: str) -> None:
    """Run the migrations (`alembic upgrade head`), in a thread without an event loop."""
    import alembic.command  # noqa: PLC0415 - 11 MB, for the first start only
    import alembic.config  # noqa: PLC0415

    config = alembic.config.Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = url
    alembic.command.upgrade(config, "head")


def _stored(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    stored: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return stored
