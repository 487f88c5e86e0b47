"""The export of personal data leaves no table out by chance."""

import core.tables
from core.accounts.export import NOT_EXPORTED, OWNED, SECRET

PEOPLE = {"user_id", "owner_id", "giver_id", "receiver_id"}


def about_users():
    """Tables that have a column for a user."""
    for each in core.tables.metadata.sorted_tables:
        referring = {
            column.name
            for column in each.c
            if column.name in PEOPLE
            or any(f.column.table.name == "users" for f in column.foreign_keys)
        }
        if referring:
            yield each.name, referring


def test_each_table_about_users_is_exported_or_has_a_reason_why_not():
    found = dict(about_users())
    assert len(found) > 15
    assert found.keys() == OWNED.keys() | NOT_EXPORTED.keys()
    assert not OWNED.keys() & NOT_EXPORTED.keys()
    for name, columns in OWNED.items():
        assert set(columns) <= found[name]


def test_no_hash_is_exported():
    for name in OWNED:
        for column in core.tables.metadata.tables[name].c:
            is_digest = "hash" in column.name or column.name.endswith("key")
            assert not is_digest or column.name.endswith(SECRET), f"{name}.{column.name}"
