"""Whether a database is ours, and of which version: checked before anything in it is changed.

The migrations' names are read here without Alembic, which a running server does not need.
"""

import re
import sqlite3
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import make_url

from core.db import Database
from core.failures import CannotStart

if TYPE_CHECKING:
    import alembic.config

MIGRATIONS: Final = Path(__file__).parent.parent / "alembic"

_OURS: Final = frozenset({"users", "ledger_events", "jobs"})
"""Tables that every version has; hardly any other program has all of them."""
_VERSIONS: Final = "alembic_version"
_STORED: Final = f"SELECT version_num FROM {_VERSIONS}"  # noqa: S608 - a name of our own
_ASSIGNED: Final = re.compile(r"^(revision|down_revision)\b[^=\n]*=(.*)$", re.MULTILINE)


class UnusableDatabase(CannotStart):
    """This version cannot use the database. The text says what to do."""


class Revisions(NamedTuple):
    """The names of this version's migrations."""

    known: frozenset[str]
    heads: frozenset[str]
    """Those that no other one follows."""


@cache
def revisions() -> Revisions:
    """Read the names of the migrations that are here."""
    names: dict[str, set[str]] = {"revision": set(), "down_revision": set()}
    for file in (MIGRATIONS / "versions").glob("*.py"):
        for which, value in _ASSIGNED.findall(file.read_text()):
            names[which].update(re.findall(r'"([^"]+)"', value))
    known = frozenset(names["revision"])
    return Revisions(known, known - names["down_revision"])


# Alembic takes 11 MB, which a server on a database of its version never needs.


def migrate(url: str) -> None:
    """Bring the database at `url` to the newest schema (`alembic upgrade head`).

    Runs its own event loop: call it from a thread where one is running already.
    """
    import alembic.command  # noqa: PLC0415

    alembic.command.upgrade(alembic_config(url), "head")


def alembic_config(url: str) -> "alembic.config.Config":
    """Alembic's settings for the database at `url`; the migrations lie beside the packages."""
    import alembic.config  # noqa: PLC0415

    config = alembic.config.Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = url
    return config


def require_ours(connection: Connection) -> None:
    """Refuse to migrate another program's database, or one migrated by a newer version.

    Raises UnusableDatabase.
    """
    tables = set(inspect(connection).get_table_names())
    stored = _stored(connection, tables)
    if tables - {_VERSIONS} and not (stored and tables >= _OURS):
        raise UnusableDatabase(
            "The database holds tables of another program. The horde needs one of its own: "
            "name an empty one by HORDE_DATABASE_URL."
        )
    if unknown := sorted(stored - revisions().known):
        raise UnusableDatabase(
            f"The database was migrated by a newer version of the horde (to {', '.join(unknown)}): "
            "start that version, or restore a backup from before."
        )


async def require_current(database: Database) -> None:
    """Refuse to serve a database that is not at this version's schema. Raises UnusableDatabase."""
    async with database.reading() as session:
        await (await session.connection()).run_sync(_require_current)


def _require_current(connection: Connection) -> None:
    require_ours(connection)
    if _stored(connection, set(inspect(connection).get_table_names())) != revisions().heads:
        raise UnusableDatabase(
            "The database does not have this version's tables yet. Run: python -m core migrate"
        )


def _stored(connection: Connection, tables: set[str]) -> set[str]:
    return set(connection.scalars(text(_STORED))) if _VERSIONS in tables else set()


def is_current_file(url: str) -> bool:
    """Whether the embedded database is surely at this version's schema: needs no migration."""
    path = Path(make_url(url).database or "").absolute()
    try:
        connection = sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True)
        try:
            return {name for (name,) in connection.execute(_STORED)} == revisions().heads
        finally:
            connection.close()
    except sqlite3.Error:
        return False  # whatever it is, whoever migrates it says so
