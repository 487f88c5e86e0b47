"""The two ways into the database, on both engines."""

import asyncio

from sqlalchemy import text

SLOW = {
    True: "WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < 3000000)"
    " SELECT max(n) FROM count",
    False: "SELECT pg_sleep(2)",
}


async def test_a_cancelled_writer_keeps_no_lock(database):
    """While its exception is alive too: its traceback holds the cursors that it used."""
    begun = asyncio.Event()

    async def write() -> None:
        async with database.writing() as session:
            await session.execute(text("DELETE FROM leases"))
            begun.set()
            await session.execute(text(SLOW[database.is_sqlite]))

    async def write_and_then_another() -> None:
        try:
            await write()
        except asyncio.CancelledError:
            async with database.writing() as session:
                await session.execute(text("DELETE FROM leases"))
            raise

    task = asyncio.ensure_future(write_and_then_another())
    await begun.wait()
    task.cancel()
    (ended,) = await asyncio.gather(task, return_exceptions=True)
    assert isinstance(ended, asyncio.CancelledError)
