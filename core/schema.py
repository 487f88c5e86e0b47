"""Whether a database is ours, and of which version: checked before anything in it is changed."""

from collections.abc import Collection
from typing import Final

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, inspect

from core.db import Database, alembic_config
from core.failures import CannotStart

_OURS: Final = frozenset({"users", "ledger_events", "jobs"})
"""Tables that every version has; hardly any other program has all of them."""
_VERSIONS: Final = "alembic_version"


class UnusableDatabase(CannotStart):
    """This version cannot use the database. The text says what to do."""


def require_ours(connection: Connection, script: ScriptDirectory) -> None:
    """Refuse to migrate another program's database, or one migrated by a newer version.

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
