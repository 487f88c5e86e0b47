"""The only statement that SQLAlchemy spells differently for each engine: INSERT … ON CONFLICT."""

from typing import TypeAlias

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

from core.db import Writing

Insert: TypeAlias = postgresql.Insert | sqlite.Insert


def insert(session: Writing, into: Table) -> Insert:
    """An INSERT with `on_conflict_do_nothing`, for the engine behind the session."""
    return inserts(into)[session.engine]


def inserts(into: Table) -> dict[str, Insert]:
    """The same by the name of each engine, for statements that are built once."""
    return {"postgresql": postgresql.insert(into), "sqlite": sqlite.insert(into)}
