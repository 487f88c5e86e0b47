import asyncio
from uuid import uuid4

import factories
from core.community.ratings import pictures, rate
from core.community.ratings.pictures import Shared
from core.community.ratings.rate import AestheticsAlreadyExist, Vote
from core.db import now
from core.ledger import accounts, audit


async def test_many_ratings_at_once_are_one_each_and_earn_once(database):
    async with database.writing() as session:
        owner, _ = await factories.user(session, username="owner")
        raters = [(await factories.user(session, username=f"rater {n}"))[0] for n in range(3)]
        shared = Shared(
            id=uuid4(),
            request_id=uuid4(),
            user_id=owner.id,
            model="m",
            prompt="a fox",
            params={},
            seed=1,
            nsfw=False,
        )
        await pictures.add(session, shared, at=now())
        before = await accounts.balance(session, raters[0].account_id)

    async def attempt(rater):
        try:
            async with database.writing() as session:
                return await rate.rate_picture(session, rater, Vote(str(shared.id), 8, 2))
        except AestheticsAlreadyExist:
            return 0

    earned = await asyncio.gather(*(attempt(rater) for rater in raters * 4))
    assert sorted(earned) == [0] * 9 + [1000] * 3
    async with database.reading() as session:
        assert (await pictures.by_id(session, str(shared.id))).rating_count == 3
        for rater in raters:
            assert await accounts.balance(session, rater.account_id) == before + 1000
        assert (await audit.audit(session)).balanced
