"""Users page by page."""

import pytest

import factories
from core.users import listing


@pytest.fixture
async def thirty(session):
    """Thirty users; the later registered, the poorer."""
    return [(await factories.user(session, available=100 * (30 - n)))[0].id for n in range(30)]


async def ids(session, number, *, by_age):
    return [user.id for user in await listing.page(session, number, by_age=by_age)]


async def test_those_with_most_kudos_come_first(session, thirty):
    assert await ids(session, 1, by_age=False) == thirty[:25]
    assert await ids(session, 2, by_age=False) == thirty[25:]
    assert await ids(session, 3, by_age=False) == []


async def test_the_oldest_come_first(session, thirty):
    newest_is_rich, _ = await factories.user(session, available=10_000)
    assert await ids(session, 1, by_age=True) == [0, *thirty[:24]]
    assert await ids(session, 2, by_age=True) == [*thirty[24:], newest_is_rich.id]
    assert (await ids(session, 1, by_age=False))[0] == newest_is_rich.id


@pytest.mark.parametrize("number", [-1, 0, listing.LAST_PAGE + 1])
async def test_there_is_nobody_beyond(session, thirty, number):
    assert await ids(session, number, by_age=False) == []
