import re
from datetime import timedelta

import pytest
from sqlalchemy import select

import factories
from core.accounts import codes
from core.accounts.tables import LoginCode
from core.db import now, table
from factories import KEYRING

rows = table(LoginCode)


@pytest.fixture
def database_url(sqlite_url):
    """Nothing here depends on the engine; test_codes_races run on both."""
    return sqlite_url


async def issue(session, user_id, *, at=None):
    return await codes.issue(session, KEYRING, user_id, at=at or now())


async def redeem(session, code, *, after=timedelta(0)):
    return await codes.redeem(session, KEYRING, code, at=now() + after)


@pytest.fixture
async def user(session):
    made, _ = await factories.user(session)
    return made


async def test_a_code_is_good_once(session, user):
    code = await issue(session, user.id)
    assert re.fullmatch(r"(?:[B-DF-HJ-NP-TV-XZ]{4}-){2}[B-DF-HJ-NP-TV-XZ]{4}", code)
    assert await redeem(session, code) == user.id
    assert await redeem(session, code) is None


async def test_how_it_is_typed_does_not_matter(session, user):
    code = await issue(session, user.id)
    assert await redeem(session, f"  {code.lower().replace('-', ' ')}\n") == user.id


@pytest.mark.parametrize("code", ["", "BCDF", "BCDF-GHJK-LMNP", "x" * 10_000, "\udcff", "ÄÖÜ" * 4])
async def test_an_unknown_code_is_nobodys(session, user, code):
    await issue(session, user.id)
    assert await redeem(session, code) is None


async def test_a_code_is_good_for_minutes(session, user):
    code = await issue(session, user.id)
    assert await redeem(session, code, after=codes.LIFE) is None
    assert await redeem(session, code, after=codes.LIFE - timedelta(seconds=30)) == user.id


async def test_a_new_code_replaces_the_former(session, user):
    former = await issue(session, user.id)
    code = await issue(session, user.id)
    assert await redeem(session, former) is None
    assert await redeem(session, code) == user.id


async def test_guesses_are_counted(session, user):
    code = await issue(session, user.id)
    wrong = f"{code[:4]}-{'BBBB' if code[5:9] != 'BBBB' else 'CCCC'}-{code[10:]}"
    for _ in range(codes.MAX_TRIES - 1):
        assert await redeem(session, wrong) is None
    assert await redeem(session, code) == user.id
    again = await issue(session, user.id)
    for _ in range(codes.MAX_TRIES):
        assert await redeem(session, f"{again[:4]}{wrong[4:]}") is None
    assert await redeem(session, again) is None


async def test_a_code_is_stored_nowhere(session, user):
    code = await issue(session, user.id)
    (row,) = (await session.execute(select(rows))).all()
    assert code.replace("-", "") not in str(row)
    assert (row.name, len(row.code_hash)) == (code[:4], 64)
