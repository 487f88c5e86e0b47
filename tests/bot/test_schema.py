"""What Discord would refuse of the commands, and whether the migrations make the tables."""

import asyncio
import uuid

import discord
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from discord import app_commands

import databases as clones
from bot import commands, languages
from bot.store import database as opened
from bot.store import jobs
from bot.store.tables import Base
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


async def test_translations_are_of_all_texts_and_fit(tree):
    def texts(part):
        yield part.get("description")
        for option in part.get("options") or []:
            yield from texts(option)

    there = {text for command in tree for text in texts(command)}
    for language, translated in languages.read().items():
        assert discord.Locale(language)
        assert set(translated) == there - {None}
        assert all(1 <= len(text) <= 100 for text in translated.values())


async def test_the_check_of_limits_sees_a_breach(tree):
    (imagine,) = (command for command in tree if command["name"] == "imagine")
    imagine["description"] = "x" * 101
    with pytest.raises(Refused, match="1-100 characters"):
        check_commands(tree)


@pytest.fixture(params=clones.ENGINES)
def url(request, databases, tmp_path):
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'bot.sqlite'}"
    server, name = databases._servers.postgres(), f"bot_{uuid.uuid4().hex}"
    clones._in_a_thread(lambda: asyncio.run(clones._execute(server, f"create database {name}")))
    return clones._asyncpg_url(server, name)


async def test_the_migrations_make_what_the_tables_say(url):
    await opened.prepare(url)
    engine = opened.engine(url)
    async with engine.connect() as connection:
        differences = await connection.run_sync(
            lambda plain: compare_metadata(MigrationContext.configure(plain), Base.metadata)
        )
    await engine.dispose()
    assert differences == []


async def test_a_job_is_stored_once_for_each_interaction(url):
    await opened.prepare(url)
    database = opened.Database(url)
    at = opened.now()
    job = jobs.Job(
        id=0, interaction_id=2**60, kind="image", state="asking", request_id=None, user_id=1,
        guild_id=2, channel_id=3, message_id=4, token="t", token_until=at, size_limit=5,
        wanted={"prompt": "a red fox"},
    )  # fmt: skip
    async with database.transaction() as connection:
        number = await jobs.add(connection, job)
    async with database.transaction() as connection:
        assert await jobs.add(connection, job) is None
    async with database.transaction() as connection:
        (found,) = await jobs.unfinished(connection)
        assert (found.id, found.wanted, found.token_until) == (number, job.wanted, at)
        assert await jobs.running(connection, 1) == await jobs.since(connection, 1, 2) == 1
        await jobs.change(connection, number, state="done", results=[{"seed": "1"}])
        assert await jobs.unfinished(connection) == []
    await database.close()


async def test_a_second_start_needs_no_migration(tmp_path, monkeypatch):
    url = f"sqlite+aiosqlite:///{tmp_path / 'bot.sqlite'}"
    await opened.prepare(url)
    monkeypatch.setattr(opened, "migrate", None)
    await opened.prepare(url)


async def test_the_horde_s_own_database_is_refused(sqlite_url):
    with pytest.raises(opened.WrongDatabase, match="BOT_DATABASE_URL"):
        await opened.prepare(sqlite_url)
