"""names and descriptions without what cannot be seen.

Revision: visible_names, after 0001.
"""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "visible_names"
down_revision = "0001"
branch_labels = None
depends_on = None

# Each table with names, what they are unique among (None: all rows), and how long a key may be.
KEYED = {
    "workers": (None, 200),
    "teams": (None, 300),
    "styles": ("user_id", 300),
    "collections": ("user_id", 300),
}
MAX_NAME_CHARS = 100
LINES = {
    "shared_keys": ("name",),
    "worker_messages": ("origin",),
}
TEXTS = {
    "collections": ("info",),
    "filters": ("description",),
    "styles": ("info",),
    "teams": ("info",),
    "users": ("contact", "admin_comment"),
    "worker_messages": ("message",),
    "workers": ("info", "maintenance_message"),
}


def upgrade() -> None:
    """Apply."""
    connection = op.get_bind()
    for table, (scope, max_key) in KEYED.items():
        _rename(connection, table, scope, max_key)
    for columns, kept in ((LINES, ""), (TEXTS, "\n\t")):
        for table, names in columns.items():
            for name in names:
                _clean(connection, table, name, kept)


def downgrade() -> None:
    """Take back: nothing, as what could not be seen is not known any more."""


def _rename(connection: sa.Connection, table: str, scope: str | None, max_key: int) -> None:
    """Clean names, and number those that are another's then."""
    columns = [sa.column(name) for name in ("id", "name", "name_key", scope or "name")]
    rows = sa.table(table, *{column.name: column for column in columns}.values())
    everyone = connection.execute(sa.select(rows)).mappings().all()
    taken = {(row[scope] if scope else None, row["name_key"]) for row in everyone}
    for row in everyone:
        if row["name"].isprintable():
            continue
        whose = row[scope] if scope else None
        plain = " ".join(_seen(row["name"], "").split()) or "nameless"
        for number in range(1, len(everyone) + 2):
            end = "" if number == 1 else f" {number}"
            name = plain[: MAX_NAME_CHARS - len(end)].rstrip() + end
            key = name.casefold()[:max_key]
            if (whose, key) not in taken:
                break
        taken.add((whose, key))
        connection.execute(
            sa.update(rows).where(rows.c.id == row["id"]).values(name=name, name_key=key)
        )


def _clean(connection: sa.Connection, table: str, name: str, kept: str) -> None:
    rows = sa.table(table, sa.column("id"), sa.column(name))
    column = rows.c[name]
    for row in connection.execute(sa.select(rows).where(column.is_not(None))).all():
        seen = _seen(row[1], kept)
        if seen != row[1]:
            connection.execute(sa.update(rows).where(rows.c.id == row[0]).values({name: seen}))


def _seen(text: str, kept: str) -> str:
    return "".join(c for c in text if c in kept or not unicodedata.category(c).startswith("C"))
