"""Rows that are remembered for a second: what a change by this process does to them."""

import pytest
from sqlalchemy import update

import factories
from core import remembered
from core.db import table
from core.users import directory
from core.users.tables import Role, UserRow
from statements import counted

KEYRING = factories.KEYRING


@pytest.fixture
async def someone(database):
    """A user's id and key."""
    async with database.writing() as session:
        user, key = await factories.user(session)
    return user.id, key


async def roles_of(database, key):
    async with database.reading() as session:
        return (await directory.by_key(session, KEYRING, key)).roles


def given(user_id, roles):
    users = table(UserRow)
    return update(users).where(users.c.id == user_id).values(roles=roles)


async def test_who_calls_again_within_a_second_is_not_read_again(database, someone):
    _, key = someone
    await roles_of(database, key)
    with counted(database) as sent:
        await roles_of(database, key)
    assert sent.all == []


async def test_after_a_second_it_is_read_again(database, someone, monkeypatch):
    _, key = someone
    await roles_of(database, key)
    monkeypatch.setattr(remembered, "SECONDS", 0.0)
    with counted(database) as sent:
        await roles_of(database, key)
    assert len(sent.all) == 1


async def test_a_change_of_this_process_is_seen_at_once(database, someone):
    user_id, key = someone
    assert not await roles_of(database, key) & Role.MODERATOR
    async with database.writing() as session:
        await session.execute(given(user_id, Role.MODERATOR))
    assert await roles_of(database, key) & Role.MODERATOR


async def test_a_change_that_comes_to_nothing_is_not_seen(database, someone):
    user_id, key = someone
    await roles_of(database, key)
    async with factories.undone(database) as session:
        await session.execute(given(user_id, Role.MODERATOR))
        assert (await directory.by_key(session, KEYRING, key)).roles & Role.MODERATOR
    assert not await roles_of(database, key) & Role.MODERATOR


async def test_what_was_read_before_a_change_is_not_remembered_after_it():
    rows = remembered.Remembered()
    before = rows.moment
    rows._settle({"changed_tables": {"users"}})
    rows.put("users", "key", "old", read_at=before)
    assert rows.get("users", "key") is None
