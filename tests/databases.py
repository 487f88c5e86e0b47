"""Fresh databases for tests: an engine's template is migrated once, then cloned.

SQLite's is a file, copied for every test. PostgreSQL's clones take longer to make than most tests,
so they are used again, emptied in between.
"""

import asyncio
import contextlib
import itertools
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg

import restoring
import services
from core import schema

ENGINES = ("sqlite", "postgres")
TEMPLATE = "horde_template"


class Servers:
    """The real servers of one test run, each started when it is first asked for.

    addresses: what another process of the same run has started already (pytest-xdist: the
    controller starts all, its workers start none).
    """

    def __init__(self, room: Path, addresses: dict[str, str] | None = None) -> None:
        self._room = room
        self._addresses = addresses or {}
        self._running = contextlib.ExitStack()

    def postgres(self) -> str:
        """URL of a PostgreSQL, without a driver, whose database TEMPLATE is migrated."""
        return self._once("postgres", self._start_postgres)

    def sqlite(self) -> str:
        """Path of a migrated SQLite file."""
        return self._once("sqlite", self._make_sqlite)

    def valkey(self) -> str:
        """URL of a Valkey."""
        return self._once("valkey", lambda: self._running.enter_context(services.valkey()))

    def all(self) -> dict[str, str]:
        """Start what is not running yet; the addresses, for another process."""
        self.postgres(), self.sqlite(), self.valkey()
        return self._addresses

    def close(self) -> None:
        """End all servers that were started here."""
        self._running.close()

    def _once(self, name: str, start: Callable[[], str]) -> str:
        if name not in self._addresses:
            self._addresses[name] = start()
        return self._addresses[name]

    def _start_postgres(self) -> str:
        with contextlib.ExitStack() as starting:
            url = starting.enter_context(services.postgres())
            _in_a_thread(lambda: asyncio.run(_execute(url, f"create database {TEMPLATE}")))
            _in_a_thread(lambda: schema.migrate(_asyncpg_url(url, TEMPLATE)))
            _in_a_thread(lambda: asyncio.run(restoring.prepare(_url_of(url, TEMPLATE))))
            self._running.push(starting.pop_all())  # a server whose migration fails ends here
        return url

    def _make_sqlite(self) -> str:
        path = self._room / "template.sqlite"
        path.unlink(missing_ok=True)  # half of one, where migrating failed before
        _in_a_thread(lambda: schema.migrate(f"sqlite+aiosqlite:///{path}"))
        return str(path)


class Databases:
    """Clones of the templates.

    prefix: keeps apart the names of processes that use one PostgreSQL.
    """

    def __init__(self, servers: Servers, room: Path, prefix: str) -> None:
        self._servers = servers
        self._room = room
        self._prefix = prefix
        self._numbers = itertools.count()
        self._idle: list[str] = []

    @contextlib.contextmanager
    def fresh(self, engine: str) -> Iterator[str]:
        """Yield the SQLAlchemy URL of a migrated, empty database, which nobody else uses.

        engine: one of ENGINES.
        """
        with self._sqlite() if engine == "sqlite" else self._postgres() as url:
            yield url

    @contextlib.contextmanager
    def _sqlite(self) -> Iterator[str]:
        folder = self._room / self._name()  # a database is up to three files
        folder.mkdir()
        shutil.copyfile(self._servers.sqlite(), folder / "horde.sqlite")
        yield f"sqlite+aiosqlite:///{folder / 'horde.sqlite'}"
        shutil.rmtree(folder)

    @contextlib.contextmanager
    def _postgres(self) -> Iterator[str]:
        url = self._servers.postgres()
        name = self._idle.pop() if self._idle else self._clone(url)
        yield _asyncpg_url(url, name)
        if _in_a_thread(lambda: asyncio.run(restoring.restore(_url_of(url, name)))):
            self._idle.append(name)
        else:
            drop = f"drop database {name} with (force)"
            _in_a_thread(lambda: asyncio.run(_execute(url, drop)))

    def _clone(self, url: str) -> str:
        name = self._name()
        create = f"create database {name} template {TEMPLATE} strategy wal_log"
        _in_a_thread(lambda: asyncio.run(_execute(url, create)))
        return name

    def _name(self) -> str:
        return f"{self._prefix}_{next(self._numbers)}"


def _asyncpg_url(url: str, database: str) -> str:
    return _url_of(url, database).replace("postgresql://", "postgresql+asyncpg://")


def _url_of(url: str, database: str) -> str:
    return url.replace("/postgres?", f"/{database}?")


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _in_a_thread(work: Callable[[], Any]) -> Any:
    """Run what has an event loop of its own, also where a test's loop runs in this thread."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()
