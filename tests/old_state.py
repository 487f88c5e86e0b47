"""A horde of revision 0001 in use, as `make_old_state.py` made it, on either engine.

Its times are moved, so that it was left just now.
"""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import JSON, Boolean, DateTime, MetaData, Uuid, insert, null, select, text

from core.engines import plain_engine

STATE = json.loads(Path(__file__).with_suffix(".json").read_text())
FACTS = STATE["facts"]
REVISION = "0001"


async def empty(url):
    """Leave nothing in a PostgreSQL database, not even tables."""
    async with plain_engine(url).begin() as connection:
        await connection.execute(text("DROP SCHEMA public CASCADE"))
        await connection.execute(text("CREATE SCHEMA public"))


async def load(url, data_dir):
    """Fill a database that has the tables of that revision, and the folder of pictures."""
    for name, content in STATE["files"].items():
        path = data_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(content))
    later = datetime.now(UTC) - datetime.fromisoformat(STATE["made_at"])
    async with plain_engine(url).begin() as connection:
        tables = await _tables(connection)
        for table in reversed(tables):
            await connection.execute(table.delete())
        for table in tables:
            stored = STATE["tables"].get(table.name, {"rows": []})
            for row in stored["rows"]:
                values = dict(zip(stored["columns"], row, strict=True))
                converted = {name: _value(table.c[name], values[name], later) for name in values}
                await connection.execute(insert(table).values(converted))
        if connection.dialect.name == "postgresql":
            await _count_on(connection)


async def rows(url, only=None):
    """All rows, by table, as lists of columns by name. only: the columns to look at, by table."""
    async with plain_engine(url).connect() as connection:
        found = {}
        for table in await _tables(connection):
            names = only.get(table.name, ()) if only is not None else table.c.keys()
            if names:
                columns = [table.c[name] for name in names]
                result = await connection.execute(select(*columns))
                found[table.name] = sorted(map(dict, result.mappings()), key=repr)
        return found


async def columns(url):
    """The names of the columns, by table."""
    async with plain_engine(url).connect() as connection:
        return {table.name: table.c.keys() for table in await _tables(connection)}


async def _tables(connection):
    metadata = MetaData()
    await connection.run_sync(metadata.reflect)
    return [table for table in metadata.sorted_tables if table.name != "alembic_version"]


def _value(column, value, later):
    kind = column.type
    if value is None:
        return null()
    if isinstance(kind, DateTime):
        moved = datetime.fromisoformat(value).replace(tzinfo=UTC) + later
        return moved if kind.timezone else moved.replace(tzinfo=None)
    if isinstance(kind, JSON):
        return json.loads(value)
    if isinstance(kind, Uuid):
        return UUID(value)
    return bool(value) if isinstance(kind, Boolean) else value


async def _count_on(connection):
    """Let PostgreSQL number on after the rows."""
    numbered = await connection.execute(
        text(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = 'public' AND is_identity = 'YES'"
        )
    )
    for table, column in numbered.all():
        await connection.execute(
            text(
                f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), "  # noqa: S608
                f"greatest((SELECT max({column}) FROM {table}), 1))"
            )
        )
