"""What a database cannot hold is told as such, whichever engine it is."""

import pytest
from sqlalchemy import insert, literal, select, text

from core.catalog.tables import FetchedReference
from core.db import Database, now, table
from core.engines import Unstorable
from core.errors import Invalid
from core.moderation.tables import FilterRow
from core.users.tables import UserRow

FILTERS, USERS = table(FilterRow), table(UserRow)
TOO_MUCH = {
    "an integer of nine bytes": select(USERS).where(USERS.c.id == 2**63),
    "an integer of thousands of digits": select(USERS).where(USERS.c.id == 10**4200),
    "a negative one": select(USERS).where(USERS.c.id == -(2**64)),
    "a page beyond all": select(USERS).limit(1).offset(2**70),
    "half a character": select(USERS).where(USERS.c.username == "fox \ud800"),
    "half a character that is kept": insert(FILTERS).values(
        regex="\udfff", filter_type=10, replacement=""
    ),
}
ON_POSTGRES = {
    "a number wider than its column": select(FILTERS).where(FILTERS.c.filter_type == 10**9),
    "one that is kept": insert(FILTERS).values(regex="x", filter_type=2**17, replacement=""),
    "a text longer than its column": insert(table(FetchedReference)).values(
        id=1, url="x" * 2000, fetched_at=now(), digest="", content=""
    ),
    "a character that ends texts": select(USERS).where(USERS.c.username == "a\0b"),
    "a sum": select(literal(2**62) * 4),
}


@pytest.mark.parametrize("statement", TOO_MUCH.values(), ids=TOO_MUCH)
async def test_what_no_database_holds_is_refused(database, statement):
    with pytest.raises(Unstorable) as refused:
        async with database.writing() as session:
            await session.execute(statement)
    assert isinstance(refused.value, Invalid)
    assert "fox" not in str(refused.value)
    async with database.writing() as session:  # which goes on
        assert await session.scalar(text("select 1")) == 1


@pytest.mark.parametrize("statement", ON_POSTGRES.values(), ids=ON_POSTGRES)
async def test_what_a_strict_database_does_not_hold_is_refused(postgres_url, statement):
    database = Database(postgres_url)
    for session_of in (database.reading, database.writing):
        with pytest.raises(Unstorable):
            async with session_of() as session:
                await session.execute(statement)
    await database.close()


async def test_other_failures_stay_what_they_are(database):
    with pytest.raises(Exception, match="nowhere"):
        async with database.writing() as session:
            await session.execute(text("select 1 from nowhere"))
