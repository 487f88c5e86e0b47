from datetime import timedelta

import pytest
from sqlalchemy import select

from core.accounts import login, sessions
from core.accounts.tables import LoginAttempt
from core.db import now, table
from factories import KEYRING

attempts = table(LoginAttempt)


@pytest.fixture
def database_url(sqlite_url):
    """Nothing here depends on the engine; tests of sessions and codes run on both."""
    return sqlite_url


async def begin(session, **changes):
    asked = {"visitor": "a cookie", "provider": "google", "page": "register", "at": now()}
    return await login.begin(session, KEYRING, **asked | changes)


async def finish(session, challenge, **changes):
    given = {
        "visitor": "a cookie",
        "provider": "google",
        "state": challenge.state,
        "at": now(),
    }
    return await login.finish(session, KEYRING, **given | changes)


async def test_who_comes_back_is_remembered_once(session):
    challenge = await begin(session, page="transfer")
    assert await finish(session, challenge) == login.Returned(challenge.verifier, "transfer")
    assert await finish(session, challenge) is None


async def test_a_verifier_is_what_pkce_wants(session):
    first, second = await begin(session), await begin(session)
    assert 43 <= len(first.verifier) <= 128
    assert first.verifier != second.verifier
    assert first.state != second.state


@pytest.mark.parametrize(
    "changed",
    [
        {"visitor": "another cookie"},
        {"provider": "discord"},
        {"state": "another state"},
        {"state": "\udcff"},
    ],
    ids=["visitor", "provider", "state", "surrogate"],
)
async def test_anything_else_is_not(session, changed):
    challenge = await begin(session)
    assert await finish(session, challenge, **changed) is None
    assert await finish(session, challenge) is not None


async def test_a_login_that_took_too_long_is_not(session):
    challenge = await begin(session)
    assert await finish(session, challenge, at=now() + timedelta(minutes=11)) is None


async def test_neither_state_nor_cookie_is_stored(session):
    challenge = await begin(session)
    (row,) = (await session.execute(select(attempts))).all()
    assert challenge.state not in row
    assert "a cookie" not in row


async def test_what_is_over_is_forgotten(session):
    await begin(session, at=now() - timedelta(hours=1))
    kept = await begin(session)
    assert not await sessions.forget(session, at=now(), limit=10)
    assert len((await session.execute(select(attempts))).all()) == 1
    assert await finish(session, kept) is not None


async def test_a_batch_says_that_there_may_be_more(session):
    for _ in "123":
        await begin(session, at=now() - timedelta(hours=1))
    assert await sessions.forget(session, at=now(), limit=2)
    assert not await sessions.forget(session, at=now(), limit=2)
    assert not (await session.execute(select(attempts))).all()
