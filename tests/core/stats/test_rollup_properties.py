"""Whatever order work is rolled up in, in whatever batches, with crashes between: the same sums."""

import asyncio
import itertools
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from core.db import Database, table
from core.queue.tables import AttemptRow, Outcome
from core.stats.tables import ModelTotal, UserTotal
from core.upkeep import steps

NUMBERS = itertools.count(1)
WORKERS = [UUID(int=number) for number in (1, 2)]
EDGE = datetime(2026, 3, 1, tzinfo=UTC)
"""A month begins."""

moments = st.builds(
    lambda seconds, hours: (EDGE + timedelta(seconds=seconds)).astimezone(
        timezone(timedelta(hours=hours))
    ),
    st.integers(-100_000, 100_000),
    st.integers(-12, 12),
)
pieces = st.builds(
    dict,
    kind=st.sampled_from(["image", "text", "alchemy"]),
    model=st.sampled_from(["a model", "another"]),
    things=st.integers(0, 2**50),
    ended_at=moments,
    outcome=st.sampled_from([Outcome.DONE, Outcome.DONE, Outcome.FAULTED, Outcome.ABORTED]),
    worker_id=st.sampled_from(WORKERS),
)


class Crash(Exception):
    """The process ends before the commit."""


def row(piece):
    return {
        "id": UUID(int=next(NUMBERS) * 7919 % 2**61),  # in another order than they ended
        "request_id": UUID(int=0),
        "user_id": 0,
        "owner_id": 0,
        "started_at": piece["ended_at"] - timedelta(seconds=1),
        "deadline": piece["ended_at"],
        "counted": False,
        **piece,
    }


def expected(work):
    """The sums as one would write them down by hand."""
    models, users = Counter(), Counter()
    for piece in work:
        if piece["outcome"] is Outcome.DONE:
            at = piece["ended_at"].astimezone(UTC)
            starts = {
                "minute": at.replace(second=0),
                "hour": at.replace(minute=0, second=0),
                "day": at.replace(hour=0, minute=0, second=0),
                "ever": datetime(1970, 1, 1, tzinfo=UTC),
            }
            for span, start in starts.items():
                models[span, start, piece["kind"], piece["model"], "made"] += 1
                models[span, start, piece["kind"], piece["model"], "things"] += piece["things"]
            users[piece["kind"], "fulfilled"] += 1
            users[piece["kind"], "fulfilled_things"] += piece["things"]
    return +models, +users


async def told(database):
    models, users = Counter(), Counter()
    async with database.reading() as session:
        for one in await session.execute(select(table(ModelTotal))):
            for name in ("made", "things"):
                key = one.span, one.start, one.kind, one.model, name
                models[key] = getattr(one, name)
        for one in await session.execute(select(table(UserTotal))):
            for name in ("fulfilled", "fulfilled_things"):
                users[one.kind, name] = getattr(one, name)
    return +models, +users


async def roll(database, batch, *, crashes):
    """One run of the step with batches of this size; whether there is more."""
    steps.BATCH = batch
    try:
        async with database.writing() as session:
            left = await steps.count(session, None, datetime.now(UTC))
            if crashes:
                raise Crash  # noqa: TRY301 - as anything in the transaction might
    except Crash:
        return True
    return left.more


def test_the_same_sums_whatever_happens(sqlite_url, monkeypatch):
    monkeypatch.setattr(steps, "BATCH", steps.BATCH)
    moved = []

    async def run(work, turns):
        database = Database(sqlite_url)
        try:
            async with database.writing() as session:
                for table in (AttemptRow, ModelTotal, UserTotal):
                    await session.execute(delete(table))
                await session.execute(insert(AttemptRow), [row(piece) for piece in work])
            for batch, crashes in turns:
                await roll(database, batch, crashes=crashes)
            while await roll(database, 3, crashes=False):
                pass
            assert await told(database) == expected(work)
            async with database.writing() as session:  # once more: nothing is left to be added
                await session.execute(update(AttemptRow).values(deadline=EDGE))
            await roll(database, 100, crashes=False)
            assert await told(database) == expected(work)
            moved.append(sum(expected(work)[1].values()))
        finally:
            await database.close()

    @settings(max_examples=25, deadline=None)
    @given(
        st.lists(pieces, min_size=1, max_size=12),
        st.lists(st.tuples(st.integers(1, 5), st.booleans()), max_size=6),
    )
    def check(work, turns):
        asyncio.run(run(work, turns))

    check()
    assert sum(moved) > 0
