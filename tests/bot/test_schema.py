"""What Discord would refuse of the commands, and whether the migrations make the tables."""

import discord
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from discord import app_commands
from sqlalchemy import insert

from bot import commands, languages
from bot.store import database as opened
from bot.store.tables import Base, JobRow, NoteRow
from fake_discord.limits import Refused, check_commands


@pytest.fixture
async def tree():
    client = discord.Client(intents=discord.Intents.none())
    tree = app_commands.CommandTree(client)
    commands.add_to(tree)
    return [command.to_dict(tree) for command in tree.get_commands()]


async def test_the_commands_keep_all_of_discord_s_limits(tree):
    check_commands(tree)
    names = {command["name"] for command in tree}
    assert {"imagine", "text", "describe", "upscale", "account", "kudos", "admin"} <= names
    assert len(tree) > 20


async def test_translations_are_of_texts_that_are_there_and_fit(tree):
    def texts(part):
        yield part.get("description")
        for option in part.get("options") or []:
            yield from texts(option)

    there = {text for command in tree for text in texts(command)}
    for language, translated in languages.read().items():
        assert discord.Locale(language)
        assert set(translated) <= there
        assert all(1 <= len(text) <= 100 for text in translated.values())


async def test_the_check_of_limits_sees_a_breach(tree):
    (imagine,) = (command for command in tree if command["name"] == "imagine")
    imagine["description"] = "x" * 101
    with pytest.raises(Refused, match="1-100 characters"):
        check_commands(tree)


def test_the_migrations_make_what_the_tables_say(tmp_path):
    url = f"sqlite+aiosqlite:///{tmp_path / 'bot.sqlite'}"
    opened.migrate(url)

    async def compared():
        engine = opened.engine(url)
        async with engine.connect() as connection:
            differences = await connection.run_sync(
                lambda plain: compare_metadata(MigrationContext.configure(plain), Base.metadata)
            )
        await engine.dispose()
        return differences

    import asyncio

    assert asyncio.run(compared()) == []


async def test_a_database_is_prepared_once_and_keeps_what_is_in_it(tmp_path, monkeypatch):
    url = f"sqlite+aiosqlite:///{tmp_path / 'bot.sqlite'}"
    await opened.prepare(url)
    database = opened.Database(url)
    async with database.transaction() as connection:
        await connection.execute(insert(opened.table(NoteRow)).values(name="a", value="b"))
    await database.close()
    monkeypatch.setattr(opened, "migrate", None)  # a second start needs no migration
    await opened.prepare(url)
    assert JobRow.__tablename__ == "jobs"
