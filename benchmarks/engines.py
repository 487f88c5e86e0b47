"""The databases that servers are measured on: a SQLite file, and PostgreSQL out of its wheel."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import text

from benchmarks.processes import cpu_seconds
from core import engines, schema
from core.db import Database
from tests import services  # what `make test` starts, so that both speak of the same server

ENGINES = ("sqlite", "postgresql")

T = TypeVar("T")


class Engine:
    """A migrated, empty database; used by one coroutine at a time, from outside of any loop."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.url = url

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end."""
        return asyncio.run(work)

    def processes(self) -> list[int]:
        """The processes that do the database's work: none with SQLite, which is a library."""
        return self.run(self._processes()) if self.name == "postgresql" else []

    async def _processes(self) -> list[int]:
        async with self.opened() as database, database.reading() as session:
            ids = await session.scalars(text("SELECT pid FROM pg_stat_activity"))
            return list(ids)

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[Database]:
        """The database, for this block."""
        database = Database(self.url)
        try:
            yield database
        finally:
            await database.close()

    async def tidy(self) -> None:
        """What autovacuum does in life: remove dead rows, learn how many there are."""
        engine = engines.plain_engine(self.url)
        async with engine.connect() as connection:
            apart = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await apart.execute(text("ANALYZE" if self.name == "sqlite" else "VACUUM ANALYZE"))
        await engine.dispose()


class Meter:
    """CPU time of a database's processes, from the meter's making on; the same processes."""

    def __init__(self, engine: Engine) -> None:
        self._ids = engine.processes()
        self._start = cpu_seconds(self._ids)

    def seconds(self) -> float:
        """What they have used since."""
        return cpu_seconds(self._ids) - self._start


@contextlib.contextmanager
def running(name: str) -> Iterator[Engine]:
    """An empty, migrated database of this engine; gone when the block ends."""
    with contextlib.ExitStack() as stack:
        if name == "sqlite":
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench"))
            url = f"sqlite+aiosqlite:///{Path(folder) / 'horde.sqlite'}"
        else:
            plain = stack.enter_context(services.postgres())
            url = plain.replace("postgresql://", "postgresql+asyncpg://", 1)
        schema.migrate(url)
        yield Engine(name, url)
