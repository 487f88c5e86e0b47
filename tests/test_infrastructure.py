"""The test run's own promises: real servers, migrated and separate databases."""

import pytest
import redis
import sqlalchemy

from core import db, tables


@pytest.fixture
async def database(database_url):
    database = db.Database(database_url)
    yield database
    await database.close()


async def test_a_database_has_every_table_and_the_newest_revision(database):
    async with database.reading() as session:
        connection = await session.connection()
        found = await connection.run_sync(lambda sync: sqlalchemy.inspect(sync).get_table_names())
        revision = await session.scalar(sqlalchemy.text("select version_num from alembic_version"))
    assert set(found) == {*tables.metadata.tables, "alembic_version"}
    assert revision


@pytest.mark.parametrize("attempt", [1, 2])
async def test_a_test_never_sees_what_another_wrote(database, attempt):
    async with database.writing() as session:
        await session.execute(sqlalchemy.text("create table mark (attempt integer)"))


async def test_postgres_is_real(postgres_url):
    database = db.Database(postgres_url)
    async with database.reading() as session:
        assert "PostgreSQL" in await session.scalar(sqlalchemy.text("select version()"))
    await database.close()


@pytest.mark.parametrize("attempt", [1, 2])
def test_valkey_is_real_and_empty(redis_url, attempt):
    with redis.Redis.from_url(redis_url) as client:
        assert client.info("server")["server_name"] == "valkey"
        assert client.set("mark", attempt, nx=True)


def test_chromium_runs(chromium_path):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=chromium_path)
        page = chromium.new_page()
        page.set_content("<p>there</p>")
        assert page.inner_text("p") == "there"
        chromium.close()
