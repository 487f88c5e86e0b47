"""Months, trust and suspicions as upkeep does them, and when users were last active."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

import factories
from core.db import now
from core.ledger import audit
from core.upkeep import steps
from core.users import directory, suspicion
from core.users.tables import Reason, Role, Suspicion, UserRow


async def user_of(server, person):
    async with server.database.reading() as session:
        assert (await audit.audit(session)).balanced
        return await directory.by_id(session, person.id)


async def change(server, person, **values):
    async with server.database.writing() as session:
        await session.execute(update(UserRow).where(UserRow.id == person.id).values(**values))


async def test_months_are_granted(server, do):
    moderator = await server.user("Moderator", roles=int(Role.MODERATOR))
    for _ in range(2):
        assert not (await do(steps.pay_monthly)).more
    told = (await server.get("/find_user", key=moderator.key)).json()
    assert told["kudos_details"]["recurring"] == 300_000.0
    await do(steps.pay_monthly, days=31)
    told = (await server.get("/find_user", key=moderator.key)).json()
    assert told["kudos_details"]["recurring"] == 600_000.0


@pytest.mark.parametrize(("threshold", "trusted"), [(0, False), (10, True), (11, False)])
async def test_who_earned_enough_is_trusted(server, do, owner, threshold, trusted):
    async with server.database.writing() as session:
        user = await directory.by_id(session, owner.id)
        await factories.give(session, user.escrow_id, 1001)
    await change(server, owner, created_at=now() - timedelta(days=8))
    horde = server.horde
    horde.settings = horde.settings.model_copy(update={"trust_threshold": threshold})
    assert (await do(steps.promote)).more == trusted
    assert not (await do(steps.promote)).more
    assert (await user_of(server, owner)).has(Role.TRUSTED) == trusted


async def test_suspicions_are_forgotten(server, do, owner):
    async with server.database.writing() as session:
        await suspicion.suspect(session, owner.id, Reason.UNSAFE_IP, at=now())
    for days, left in ((69, 1), (71, 0)):
        await do(steps.forget_suspicions, days=days)
        async with server.database.reading() as session:
            assert await session.scalar(select(func.count()).select_from(Suspicion)) == left


async def test_who_asks_and_whose_worker_delivers_was_active(server, do, owner, requester):
    idle = await server.user("Idle")
    long_ago = now() - timedelta(days=40)
    for person in (owner, requester, idle):
        await change(server, person, last_active_at=long_ago)
    await server.ask(key=requester.key)
    await server.deliver(owner.key, await server.pop(owner.key))
    await do(steps.count)
    for person in (owner, requester):
        assert (await user_of(server, person)).last_active_at > long_ago
    assert (await user_of(server, idle)).last_active_at == long_ago
