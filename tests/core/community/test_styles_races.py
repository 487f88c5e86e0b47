"""Uses of styles under many hands: each is counted and paid for once."""

import asyncio
from uuid import uuid4

from sqlalchemy import select

import factories
from core.community import authoring, styles
from core.community.authoring import Draft
from core.community.tables import StyleRow
from core.db import now, table
from core.ledger import accounts
from core.stats import uses
from core.users.tables import Role

rows = table(StyleRow)
PEOPLE, REQUESTS = 3, 20


async def test_uses_that_are_counted_and_added_at_once_count_once_each(database):
    owners, made = [], []
    async with database.writing() as session:
        for _ in range(PEOPLE):
            owner, _ = await factories.user(session, roles=int(Role.TRUSTED))
            draft = Draft(name="Fox", prompt="{p}{np}")
            made.append((await authoring.create(session, owner, "image", draft))[0])
            owners.append(owner)
        before = [await accounts.balance(session, owner.account_id) for owner in owners]

    async def use(number):
        request_id, who = uuid4(), number % PEOPLE
        style = {
            "style_id": made[who],
            "collection_id": None,
            "account_id": owners[who].account_id,
        }
        for _ in range(2):  # each further result of the request says it again
            async with database.writing() as session:
                await uses.add(session, request_id, style, at=now())

    async def count():
        for _ in range(8):
            async with database.writing() as session:
                await styles.count_uses(session, limit=3)

    await asyncio.gather(*(use(number) for number in range(PEOPLE * REQUESTS)), count(), count())
    async with database.writing() as session:
        while await styles.count_uses(session, limit=50):
            pass
        counted = list(await session.scalars(select(rows.c.use_count)))
        after = [await accounts.balance(session, owner.account_id) for owner in owners]
    assert counted == [REQUESTS] * PEOPLE
    gained = [now_ - then for now_, then in zip(after, before, strict=True)]
    assert gained == [200 * REQUESTS] * PEOPLE
