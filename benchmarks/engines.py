"""The databases that servers are measured on: a SQLite file, and PostgreSQL out of its wheel."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import func, select, text

from benchmarks.processes import family_seconds, parent_of
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

    @cached_property
    def process(self) -> int | None:
        """The process whose children do the database's work: None with SQLite, a library."""
        return self.run(self._process()) if self.name == "postgresql" else None

    async def _process(self) -> int:
        async with self.opened() as database, database.reading() as session:
            ours: int = (await session.execute(select(func.pg_backend_pid()))).scalar_one()
            return parent_of(ours)

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
    """CPU time of a database's processes, from the meter's making on."""

    def __init__(self, engine: Engine) -> None:
        self._process = engine.process
        self._start = self._used()

    def seconds(self) -> float:
        """What they have used since."""
        return self._used() - self._start

    def _used(self) -> float:
        return 0.0 if self._process is None else family_seconds(self._process)


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
