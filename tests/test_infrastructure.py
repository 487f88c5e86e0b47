"""The test run's own promises: real servers, migrated and separate databases."""

import pytest
import redis
import sqlalchemy

import serving
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


async def rows_and_sequences(url):
    """All that a database has in it, and where its sequences stand."""
    database = db.Database(url)
    async with database.reading() as session:
        found = {}
        for table in (*tables.metadata.sorted_tables, sqlalchemy.table("alembic_version")):
            every = sqlalchemy.select(sqlalchemy.text("*")).select_from(table)
            rows = await session.execute(every)
            found[table.name] = sorted(map(str, rows))
        query = "select sequencename, last_value from pg_sequences order by 1"
        found["sequences"] = (await session.execute(sqlalchemy.text(query))).all()
    await database.close()
    return found


async def test_a_postgres_that_is_used_again_is_as_new(databases, tmp_path):
    with databases.fresh("postgres") as url, databases.fresh("postgres") as new:
        first = await rows_and_sequences(new)
        async with serving.in_process(url, tmp_path) as server:
            somebody = await server.user("Somebody", kudos=100)
            await server.ask(key=somebody.key)
        assert await rows_and_sequences(url) != first
    with databases.fresh("postgres") as one, databases.fresh("postgres") as other:
        assert {one, other} >= {url}
        assert await rows_and_sequences(url) == first


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
