"""The two ways into the database, on both engines."""

import asyncio

import sqlalchemy
from sqlalchemy import text

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
