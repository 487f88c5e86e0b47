"""The only statement that SQLAlchemy spells differently for each engine: INSERT … ON CONFLICT."""

from typing import TypeAlias

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

Insert: TypeAlias = postgresql.Insert | sqlite.Insert


def insert(session: AsyncSession, into: Table) -> Insert:
    """An INSERT with `on_conflict_do_nothing`, for the engine behind the session."""
    return inserts(into)[name(session)]


def inserts(into: Table) -> dict[str, Insert]:
    """The same by the name of each engine, for statements that are built once."""
    return {"postgresql": postgresql.insert(into), "sqlite": sqlite.insert(into)}


def name(session: AsyncSession) -> str:
    """The engine behind the session."""
    return session.get_bind().dialect.name
