from datetime import timedelta

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

import factories
from core.accounts import sessions
from core.accounts.tables import SignedIn
from core.db import now, table
from core.users.keys import Keyring
from factories import KEYRING

LIFE = timedelta(days=30)
rows = table(SignedIn)


async def begin(session, **who):
    return await sessions.begin(session, KEYRING, at=now(), life=LIFE, **who)


async def person(session, token, *, after=timedelta(0), keyring=KEYRING):
    return await sessions.person(session, keyring, token, at=now() + after)


async def test_a_token_stands_for_a_user(session):
    user, _ = await factories.user(session)
    token = await begin(session, user_id=user.id)
    found = await person(session, token)
    assert (found.user.id, found.oauth_id) == (user.id, None)
    assert (await person(session, token, after=LIFE - timedelta(minutes=1))).user.id == user.id
    assert await person(session, token, after=LIFE + timedelta(seconds=1)) is None


async def test_a_token_may_stand_for_who_is_not_registered_yet(session):
    found = await person(session, await begin(session, oauth_id="g_7"))
    assert (found.user, found.oauth_id) == (None, "g_7")


async def test_an_unknown_token_is_nobodys(session):
    known = await begin(session, oauth_id="g_7")
    for token in ("", "x" * 43, "x" * 10_000, "\x00", "\udcff"):
        assert await person(session, token) is None
        await sessions.end(session, KEYRING, token)
    assert await person(session, known) is not None


async def test_a_token_is_stored_nowhere(session):
    token = await begin(session, oauth_id="g_7")
    (row,) = (await session.execute(select(rows))).all()
    assert token not in row
    assert await person(session, row.token_hash) is None


async def test_another_secret_knows_no_token(session):
    token = await begin(session, oauth_id="g_7")
    assert await person(session, token, keyring=Keyring(b"another")) is None


async def test_a_session_ends(session):
    token, other = [await begin(session, oauth_id="g_7") for _ in "12"]
    await sessions.end(session, KEYRING, token)
    assert await person(session, token) is None
    assert await person(session, other) is not None


async def test_a_user_is_logged_out_everywhere(session):
    (ann, _), (bob, _) = [await factories.user(session) for _ in "12"]
    browser = await begin(session, user_id=ann.id)
    program, _ = await sessions.begin_program(session, KEYRING, ann.id, at=now())
    others = await begin(session, user_id=bob.id)
    assert await sessions.programs(session, ann.id, at=now()) == 1
    await sessions.end_all(session, ann.id)
    assert await sessions.programs(session, ann.id, at=now()) == 0
    assert [await person(session, token) for token in (browser, program)] == [None, None]
    assert (await person(session, others)).user.id == bob.id


async def test_a_programs_token_is_told_from_a_key(session):
    user, key = await factories.user(session)
    token, expires = await sessions.begin_program(session, KEYRING, user.id, at=now())
    assert token.startswith(sessions.PROGRAM_PREFIX)
    assert "." in sessions.PROGRAM_PREFIX
    assert "." not in key
    assert expires - now() > timedelta(days=364)
    assert (await person(session, token)).user.id == user.id


@pytest.mark.parametrize("both", [{"user_id": 0, "oauth_id": "g_7"}, {}], ids=["two", "nobody"])
async def test_a_session_is_of_one_person(database, both):
    values = {"token_hash": "x", "created_at": now(), "expires_at": now(), **both}
    with pytest.raises(IntegrityError):
        async with database.writing() as session:
            await session.execute(insert(rows).values(is_program=False, **values))
