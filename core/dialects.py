"""What the engines have each in their own way."""

import hashlib
from typing import Any, TypeAlias

from sqlalchemy import BigInteger, Select, Table, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite

from core.db import Writing

Insert: TypeAlias = postgresql.Insert | sqlite.Insert


def insert(session: Writing, into: Table) -> Insert:
    """An INSERT with `on_conflict_do_nothing`, for the engine behind the session."""
    return inserts(into)[session.engine]


def inserts(into: Table) -> dict[str, Insert]:
    """The same by the name of each engine, for statements that are built once."""
    return {"postgresql": postgresql.insert(into), "sqlite": sqlite.insert(into)}


async def take_turn(session: Writing, name: str) -> None:
    """Wait until no other transaction has taken the turn of this name; it ends with this one.

    SQLite has one writer at a time as it is.
    """
    if session.engine == "postgresql":
        number = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), signed=True)
        await session.execute(_TAKE_TURN, {"number": number})


_TAKE_TURN = select(func.pg_advisory_xact_lock(bindparam("number", type_=BigInteger)))


def once(rows: Select[Any]) -> Select[Any]:
    """The same rows for `IN (…)`, such that PostgreSQL looks for them once.

    Where it joins by looking anew for each row, rows that the statement itself has just changed are
    found locked no more, and others come instead of them: a limit would not be one.
    """
    found = rows.cte("found")
    return select(found)
