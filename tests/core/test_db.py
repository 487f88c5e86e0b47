"""The two ways into the database, on both engines."""

import asyncio
import sqlite3

import pytest
import sqlalchemy
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import DBAPIError, PendingRollbackError

from core.db import Database, now, table
from core.ledger.tables import Checkpoint
from core.queue.tables import Lane

SLOW = {
    True: "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 3000000) "
    "SELECT max(n) FROM c",
    False: "SELECT pg_sleep(2)",
}


async def test_a_cancelled_writer_keeps_no_lock(database):
    """Nor does it while its exception lives: the traceback holds the cursors that it used."""
    running = asyncio.Event()

    async def write():
        async with database.writing() as session:
            connection = (await session.connection()).sync_connection
            await session.execute(text("DELETE FROM leases"))
            sqlalchemy.event.listen(connection, "before_cursor_execute", lambda *_: running.set())
            await session.execute(text(SLOW[database.is_sqlite]))

    async def write_and_then_another():
        try:
            await write()
        except asyncio.CancelledError:
            async with database.writing() as session:
                await session.execute(text("DELETE FROM leases"))
            raise

    task = asyncio.ensure_future(write_and_then_another())
    await running.wait()
    task.cancel()
    (ended,) = await asyncio.gather(task, return_exceptions=True)
    assert isinstance(ended, asyncio.CancelledError)


LANES = table(Lane)


def lane(key):
    return insert(LANES).values(key=key, needs={}, created_at=now())


async def write(database, *statements):
    async with database.writing() as session:
        for statement in statements:
            await session.execute(statement)


async def keys(database):
    async with database.reading() as session:
        return set(await session.scalars(select(LANES.c.key)))


async def test_a_block_that_raises_leaves_nothing_and_the_next_one_works(database):
    async def write_and_fail():
        async with database.writing() as session:
            await session.execute(lane("undone"))
            raise LookupError

    with pytest.raises(LookupError):
        await write_and_fail()
    await write(database, lane("done"))
    assert await keys(database) & {"undone", "done"} == {"done"}


async def test_a_statement_that_fails_takes_its_transaction_with_it(database):
    with pytest.raises(DBAPIError):
        await write(database, lane("undone"), text("SELECT nothing_of_that_name"))
    await write(database, lane("done"))
    assert await keys(database) & {"undone", "done"} == {"done"}


CHECKED_AT_THE_END = {
    True: "PRAGMA defer_foreign_keys = ON",
    False: "ALTER TABLE ledger_checkpoints ALTER CONSTRAINT fk_ledger_checkpoints_account_id "
    "DEFERRABLE INITIALLY DEFERRED",
}


async def test_what_cannot_be_committed_is_undone(database):
    checkpoint = insert(table(Checkpoint)).values(
        account_id=10**6, last_entry_id=0, balance=0, at=now()
    )
    check = text(CHECKED_AT_THE_END[database.is_sqlite])
    with pytest.raises(DBAPIError, match=r"(?i)foreign key"):
        await write(database, check, lane("undone"), checkpoint)
    await write(database, lane("done"))
    assert await keys(database) & {"undone", "done"} == {"done"}


async def test_nothing_is_written_after_a_transaction_lost_its_connection(postgres_url):
    """SQLAlchemy would take another one, on which each statement is good at once."""
    database, other = Database(postgres_url), Database(postgres_url)

    async def lose_it():
        async with database.writing() as session:
            await session.execute(lane("before"))
            process = await session.scalar(select(func.pg_backend_pid()))
            async with other.reading() as killing:
                await killing.scalar(select(func.pg_terminate_backend(process)))
            with pytest.raises(DBAPIError):
                await session.scalar(select(1))
            with pytest.raises(PendingRollbackError):
                await session.execute(lane("after"))

    with pytest.raises(PendingRollbackError):
        await lose_it()
    assert not await keys(database) & {"before", "after"}
    await database.close()
    await other.close()


async def test_a_database_that_was_restarted_is_used_again_at_once(postgres_url):
    """All connections are gone then; nobody has to fail once for each of them."""
    database, other = Database(postgres_url), Database(postgres_url)
    drivers = []
    async with database.reading() as one, database.reading() as two, database.writing() as three:
        for session in (one, two, three):
            raw = await (await session.connection()).get_raw_connection()
            drivers.append(raw.driver_connection)
    async with other.reading() as killing:
        for driver in drivers:
            await killing.scalar(select(func.pg_terminate_backend(driver.get_server_pid())))
    async with asyncio.timeout(10):
        while not all(driver.is_closed() for driver in drivers):  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # nobody tells of a socket that was closed
    for _ in drivers:
        async with database.reading() as session:
            assert await session.scalar(select(1)) == 1
    await write(database, lane("after"))
    assert "after" in await keys(database)
    await database.close()
    await other.close()


async def test_who_cannot_begin_writes_nothing(tmp_path, monkeypatch):
    path = tmp_path / "horde.db"
    database = Database(f"sqlite+aiosqlite:///{path}")
    await write(database, text("CREATE TABLE seen (n INTEGER)"), text("PRAGMA busy_timeout = 10"))
    with sqlite3.connect(path, isolation_level=None) as another:
        another.execute("BEGIN IMMEDIATE")
        async with database.writing() as session:
            for _ in range(2):
                with pytest.raises(DBAPIError, match="locked"):
                    await session.execute(text("INSERT INTO seen VALUES (1)"))
        another.execute("COMMIT")
    async with database.writing() as session:
        await session.execute(text("INSERT INTO seen VALUES (2)"))
        assert (await session.scalars(text("SELECT n FROM seen"))).all() == [2]
    await database.close()
