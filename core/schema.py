"""Whether a database is ours, and of which version: looked at before anything is changed in it."""

from collections.abc import Collection
from pathlib import Path
from typing import Final

import alembic.command
import alembic.config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, inspect

from core.db import Database
from core.failures import CannotStart

_OURS: Final = frozenset({"users", "ledger_events", "jobs"})
"""Tables that every version has, and all of them hardly anybody else."""
_VERSIONS: Final = "alembic_version"


class UnusableDatabase(CannotStart):
    """The database is not one that this version can use. The text says what to do."""


def migrate(url: str) -> None:
    """Bring the database at `url` to the newest schema (`alembic upgrade head`).

    Runs its own event loop: call it from a thread where one is running already.
    """
    alembic.command.upgrade(alembic_config(url), "head")


def alembic_config(url: str) -> alembic.config.Config:
    """Alembic's settings for the database at `url`; the migrations lie beside the packages."""
    config = alembic.config.Config()
    config.set_main_option("script_location", str(Path(__file__).parent.parent / "alembic"))
    config.attributes["url"] = url
    return config


def require_ours(connection: Connection, script: ScriptDirectory) -> None:
    """Refuse to migrate another program's database, and one that a newer version has migrated.

    Raises UnusableDatabase.
    """
    tables = set(inspect(connection).get_table_names())
    revisions = _revisions(connection, tables)
    if tables - {_VERSIONS} and not (revisions and tables >= _OURS):
        raise UnusableDatabase(
            "The database holds tables of another program. The horde needs one of its own: "
            "name an empty one by HORDE_DATABASE_URL."
        )
    if unknown := [revision for revision in revisions if not _is_known(script, revision)]:
        raise UnusableDatabase(
            f"The database was migrated by a newer version of the horde (to {', '.join(unknown)}): "
            "start that version, or restore a backup from before."
        )


async def require_current(database: Database) -> None:
    """Refuse to serve a database that is not at this version's schema. Raises UnusableDatabase."""
    script = ScriptDirectory.from_config(alembic_config(""))
    async with database.reading() as session:
        await (await session.connection()).run_sync(_require_current, script)


def _require_current(connection: Connection, script: ScriptDirectory) -> None:
    require_ours(connection, script)
    tables = set(inspect(connection).get_table_names())
    if _revisions(connection, tables) != set(script.get_heads()):
        raise UnusableDatabase(
            "The database does not have this version's tables yet. Run: python -m core migrate"
        )


def _revisions(connection: Connection, tables: Collection[str]) -> set[str]:
    if _VERSIONS not in tables:
        return set()
    return set(MigrationContext.configure(connection).get_current_heads())


def _is_known(script: ScriptDirectory, revision: str) -> bool:
    try:
        return script.get_revision(revision) is not None
    except CommandError:
        return False
