import asyncio

import factories
from core.accounts import codes
from core.db import now
from factories import KEYRING


async def test_of_several_at_once_one_is_logged_in(database):
    async with database.writing() as session:
        user, _ = await factories.user(session)
        code = await codes.issue(session, KEYRING, user.id, at=now())

    async def attempt():
        async with database.writing() as session:
            return await codes.redeem(session, KEYRING, code, at=now())

    answers = await asyncio.gather(*(attempt() for _ in range(4)))
    assert sorted(answers, key=str) == [user.id, None, None, None]


async def test_wrong_guesses_at_once_are_all_counted(database):
    async with database.writing() as session:
        user, _ = await factories.user(session)
        code = await codes.issue(session, KEYRING, user.id, at=now())

    async def guess():
        async with database.writing() as session:
            return await codes.redeem(session, KEYRING, f"{code[:4]}-BBBB-BBBB", at=now())

    assert set(await asyncio.gather(*(guess() for _ in range(codes.MAX_TRIES)))) == {None}
    async with database.writing() as session:
        assert await codes.redeem(session, KEYRING, code, at=now()) is None
