"""Prepared statements give what SQLAlchemy's own execution of them gives, and fail as it does."""

import asyncio
import gc
from datetime import UTC, datetime
from uuid import UUID

import pytest
import sqlalchemy
from sqlalchemy import (
    BigInteger,
    Integer,
    Numeric,
    Uuid,
    bindparam,
    cast,
    func,
    insert,
    literal,
    literal_column,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError, MultipleResultsFound, NoResultFound

import factories
import statements
from core import prepared as module
from core.columns import Document, Moment
from core.db import Database, table
from core.engines import Unstorable
from core.prepared import Compiled, prepared
from core.queue.tables import Job, JobState, Lane
from core.users.tables import UserRow

AT = datetime(2026, 11, 28, 16, 44, 36, 123456, tzinfo=UTC)
ID = UUID("0f0e0d0c-0b0a-0908-0706-050403020100")
VALUES = {
    "moment": (Moment, AT),
    "id": (Uuid, ID),
    "document": (Document, {"a": [1, None, "ü"]}),
    "large": (BigInteger, 2**60),
    "missing": (Integer, None),
    "words": (None, "O'Neil; --"),
}

_lanes = table(Lane)
_jobs = table(Job)


def typed(name, kind):
    value = bindparam(name, type_=kind)
    return cast(value, kind) if kind in (Integer, BigInteger) else value


MANY = prepared(
    select(
        *(typed(name, kind or literal("").type).label(name) for name, (kind, _) in VALUES.items()),
        func.sum(cast(bindparam("large", type_=BigInteger), Numeric(30, 2))).label("exact"),
    )
)
NUMBERS = prepared(union_all(select(literal(1).label("n")), select(literal(2)), select(literal(3))))
OF_STATES = prepared(
    select(func.count())
    .select_from(_jobs)
    .where(
        _jobs.c.state.in_((JobState.WAITING, JobState.PROCESSING)),
        _jobs.c.user_id == bindparam("user"),
    )
)
FIRST = prepared(
    select(_lanes.c.id)
    .order_by(_lanes.c.id)
    .limit(bindparam("most", type_=Integer, literal_execute=True))
)
ADD = prepared(
    insert(_lanes)
    .values(
        key=bindparam("its_key"),
        needs=bindparam("its_needs", type_=Document),
        created_at=bindparam("its_at", type_=Moment),
    )
    .returning(_lanes.c.id, _lanes.c.needs)
)
WRONG = prepared(select(text("no_such_column")))


async def own(session, statement, parameters=None):
    """SQLAlchemy's own execution."""
    return await (await session.connection()).execute(statement, parameters or {})


async def test_values_of_all_types_come_back_as_they_do_from_sqlalchemy(database):
    given = {name: value for name, (_, value) in VALUES.items()}
    async with database.reading() as session:
        row = (await session.execute(MANY, given)).one()
        expected = (await own(session, MANY, given)).one()
    assert row._asdict() == expected._asdict()
    assert {name: row._asdict()[name] for name in given} == given
    assert [type(value) for value in row] == [type(value) for value in expected]


async def test_a_result_is_one_of_sqlalchemy(database):
    async with database.reading() as session:
        assert await session.scalar(NUMBERS) == 1
        assert (await session.scalars(NUMBERS)).all() == [1, 2, 3]
        assert [row.n for row in await session.execute(NUMBERS)] == [1, 2, 3]
        with pytest.raises(MultipleResultsFound):
            (await session.execute(NUMBERS)).one()
        with pytest.raises(NoResultFound):
            (await session.execute(FIRST, {"most": 0})).one()


async def test_fixed_lists_and_literals_are_written_out(database):
    for key in ("a", "b", "c"):
        async with database.writing() as session:
            new = {"its_key": key, "its_needs": {}, "its_at": AT}
            await session.execute(ADD, new)
    async with database.reading() as session:
        assert await session.scalar(OF_STATES, {"user": 1}) == 0
        for most in (1, 3, 2):
            rows = (await session.scalars(FIRST, {"most": most})).all()
            assert len(rows) == most
            assert rows == (await own(session, FIRST, {"most": most})).scalars().all()


async def test_what_is_written_is_of_the_transaction(database):
    new = {"its_key": "new", "its_needs": {"pixels": 1}, "its_at": AT}
    async with factories.undone(database) as session:
        for number in range(2):
            row = (await session.execute(ADD, new | {"its_key": f"{number}"})).one()
            assert row.needs == {"pixels": 1}
    async with database.reading() as session:
        assert await session.scalar(select(func.count()).where(_lanes.c.key.in_(("0", "1")))) == 0
    async with database.writing() as session:
        await session.scalar(NUMBERS)
        added = await session.scalar(ADD, new)
    async with database.reading() as session:
        assert await session.scalar(select(_lanes.c.id).where(_lanes.c.key == "new")) == added


async def test_it_is_the_driver_that_runs_them(database):
    """The first of a transaction, too; others are SQLAlchemy's as ever."""
    seen = []
    for engine in (database._reader, database._writer):
        sqlalchemy.event.listen(
            engine.sync_engine, "before_cursor_execute", lambda *told: seen.append(told[2])
        )
    async with database.reading() as session:
        await session.scalar(NUMBERS)
    async with database.writing() as session:
        await session.scalar(NUMBERS)
        await session.scalar(NUMBERS)
    assert seen == []


async def test_the_errors_are_those_that_callers_know(database):
    async with database.reading() as session:
        with pytest.raises(DBAPIError) as failed:
            await session.execute(WRONG)
        assert not failed.value.connection_invalidated
        with pytest.raises(Unstorable):
            await session.scalar(OF_STATES, {"user": 2**80})
        assert await session.scalar(NUMBERS) == 1  # the connection is whole
    async with database.writing() as session:
        await session.scalar(NUMBERS)
        with pytest.raises(Unstorable):
            await session.scalar(OF_STATES, {"user": 2**80})
        await session.connection()
    async with database.writing() as session:
        assert await session.scalar(NUMBERS) == 1


async def test_a_lost_connection_is_told_and_replaced(postgres_url):
    database, other = Database(postgres_url), Database(postgres_url)
    async with database.reading() as session:
        process = await session.scalar(select(func.pg_backend_pid()))
        async with other.writing() as killing:
            await killing.scalar(select(func.pg_terminate_backend(process)))
        with pytest.raises(DBAPIError) as failed:
            await session.scalar(NUMBERS)
        assert failed.value.connection_invalidated
    async with database.reading() as session:
        assert await session.scalar(NUMBERS) == 1
    await database.close()
    await other.close()


SLOW = prepared(select(func.pg_sleep(bindparam("seconds"))))
SLEEPING = (
    select(func.count())
    .select_from(text("pg_stat_activity"))
    .where(text("query LIKE 'SELECT pg_sleep%' AND state = 'active'"))
)


async def test_who_is_cancelled_leaves_nothing_under_way_to_the_next(postgres_url):
    database = Database(postgres_url)

    async def slow():
        async with database.reading() as session:
            await session.scalar(SLOW, {"seconds": 20.0})

    async with database.reading() as session:
        await session.scalar(NUMBERS)
    task = asyncio.create_task(slow())
    async with asyncio.timeout(20), database.reading() as watching:
        while not await watching.scalar(SLEEPING):  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # nobody tells of a statement that runs
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(10), database.reading() as session:
        assert await session.scalar(NUMBERS) == 1
    await database.close()


COUNTED = select(literal(1).label("n")).cte("counted", recursive=True)
COUNTED = COUNTED.union_all(select(COUNTED.c.n + 1).where(COUNTED.c.n < literal_column("3000000")))
COUNTING = prepared(select(func.max(COUNTED.c.n)))


async def test_a_cancelled_writer_keeps_no_lock(database, monkeypatch):
    running, run = asyncio.Event(), module.Prepared.run

    async def told(*arguments):
        running.set()
        return await run(*arguments)

    monkeypatch.setattr(module.Prepared, "run", told)
    lane = {"its_key": "left by it", "its_needs": {}, "its_at": AT}

    async def write():
        async with database.writing() as session:
            await session.execute(ADD, lane)
            await session.scalar(COUNTING)

    async def write_and_then_another():
        try:
            await write()
        except asyncio.CancelledError:  # its traceback still holds what it used
            async with database.writing() as session:
                await session.execute(ADD, lane | {"its_key": "the next"})
            raise

    task = asyncio.ensure_future(write_and_then_another())
    await running.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with database.reading() as session:
        keys = set(await session.scalars(select(_lanes.c.key)))
    assert "the next" in keys
    assert "left by it" not in keys


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        (select(_lanes).where(_lanes.c.id.in_(bindparam("ids", expanding=True))), "list"),
        (update(table(UserRow)).values(contact="x"), "watched"),
    ],
    ids=["a list of any length", "a watched table"],
)
def test_what_needs_sqlalchemy_each_time_is_refused(statement, why):
    with pytest.raises(ValueError, match=why):
        Compiled(postgresql.dialect()).get(prepared(statement))


async def test_what_is_made_of_a_prepared_statement_is_not_kept(database):
    before = len(module._kept)
    async with database.reading() as session:
        for number in range(3):
            made = OF_STATES.where(_jobs.c.lane_id == number)
            assert await session.scalar(made, {"user": 1}) == 0
    gc.collect()
    assert len(module._kept) == before
    assert len(database._compiled._known) <= before


async def test_they_are_counted(database):
    with statements.counted(database) as sent:
        async with database.reading() as session:
            await session.scalar(NUMBERS)
    assert len(sent.all) == len(sent.reading) == 1
