"""What the engines have each in their own way."""

from typing import Any, TypeAlias

from sqlalchemy import Select, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from core.db import Writing

Insert: TypeAlias = postgresql.Insert | sqlite.Insert


def insert(session: Writing, into: Table) -> Insert:
    """An INSERT with `on_conflict_do_nothing`, for the engine behind the session."""
    return inserts(into)[session.engine]


def inserts(into: Table) -> dict[str, Insert]:
    """The same by the name of each engine, for statements that are built once."""
    return {"postgresql": postgresql.insert(into), "sqlite": sqlite.insert(into)}


def once(rows: Select[Any]) -> Select[Any]:
    """The same rows for `IN (…)`, such that PostgreSQL looks for them once.

    Where it joins by looking anew for each row, rows that the statement itself has just changed are
    found locked no more, and others come instead of them: a limit would not be one.
    """
    found = rows.cte("found")
    return select(found)
