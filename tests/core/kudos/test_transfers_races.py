"""Many transfers and charges at once: none is made twice, nobody deadlocks, budgets are exact."""

import asyncio
from uuid import uuid4

import factories
from core.accounts import shared_keys as owned_keys
from core.db import now
from core.kudos import refusals, settlement, transfers
from core.ledger import accounts, audit
from core.users import shared_keys

AT_ONCE = 20


async def at_once(database, tasks):
    """Run each task in a transaction of its own, all at the same time; refusals are returned."""

    async def run(task):
        async with database.writing() as session:
            return await task(session)

    async with asyncio.timeout(60):
        return await asyncio.gather(*(run(task) for task in tasks), return_exceptions=True)


async def people(database, *available):
    async with database.writing() as session:
        return [(await factories.user(session, available=each))[0] for each in available]


def giving(giver, receiver, amount, *, key=None):
    target = receiver if isinstance(receiver, str) else receiver.alias
    return lambda session: transfers.give(
        session, giver, target=target, amount=amount, client_key=key, at=now()
    )


async def available(database, user):
    async with database.reading() as session:
        assert (await audit.audit(session)).balanced
        return (await accounts.funds(session, user.account_id)).available


async def test_the_same_call_many_times_at_once_gives_once(database):
    giver, receiver = await people(database, 1000, 0)
    done = await at_once(database, [giving(giver, receiver, 300, key="a")] * AT_ONCE)
    assert done == [None] * AT_ONCE
    assert await available(database, receiver) == 300


async def test_one_key_for_different_transfers_at_once_stands_for_one_of_them(database):
    giver, receiver = await people(database, 1000, 0)
    tasks = [giving(giver, receiver, n + 1, key="a") for n in range(AT_ONCE)]
    done = await at_once(database, tasks)
    assert done.count(None) == 1
    assert {type(each) for each in done} == {type(None), refusals.IdempotencyKeyConflict}
    assert await available(database, receiver) == done.index(None) + 1


async def test_a_balance_is_given_away_once(database):
    giver, *receivers = await people(database, 750, *[0] * AT_ONCE)
    done = await at_once(database, [giving(giver, each, 100) for each in receivers])
    assert done.count(None) == 7
    assert {type(each) for each in done} == {type(None), refusals.KudosTransferNotEnough}
    assert await available(database, giver) == 50


async def test_of_two_that_give_each_other_one_is_too_fast(database):
    pairs = [await people(database, 100, 100) for _ in range(6)]
    tasks = [giving(*pair, 10) for one, other in pairs for pair in ((one, other), (other, one))]
    done = await at_once(database, tasks)
    for first, second in zip(done[::2], done[1::2], strict=True):
        refused = {type(each) for each in (first, second)}
        assert refused == {type(None), refusals.TooFastKudosTransfers}


async def test_charges_and_gifts_leave_a_keys_budget_exact(database):
    owner, giver, maker = await people(database, 100_000, 100_000, 0)
    async with database.writing() as session:
        key = await owned_keys.create(session, owner, {"budget": 100_000}, at=now())

    def charging(amount):
        async def run(session):
            request_id = uuid4()
            await shared_keys.reserve(session, key.id, request_id, 500, allow_downgrade=False)
            await shared_keys.consume(session, request_id, amount)
            await settlement.settle(
                session,
                key=f"job:{request_id}",
                payer_account=owner.account_id,
                owner_account=maker.account_id,
                owner_escrow=maker.escrow_id,
                owner_trusted=False,
                charge=amount,
                reward=amount,
                hold_key=None,
                kind="settlement",
            )
            await shared_keys.release(session, [request_id])

        return run

    tasks = [charging(101 + n) for n in range(AT_ONCE)]
    tasks += [giving(giver, str(key.id), 7) for _ in range(AT_ONCE)]
    assert await at_once(database, tasks) == [None] * 2 * AT_ONCE
    spent = sum(101 + n for n in range(AT_ONCE))
    async with database.reading() as session:
        found = await shared_keys.by_id(session, key.id)
    assert (found.budget, found.held) == (100_000 - spent + 7 * AT_ONCE, 0)
    assert found.utilized == spent
    assert await available(database, owner) == 100_000 - spent + 7 * AT_ONCE


async def test_a_budget_is_set_aside_once(database):
    (owner,) = await people(database, 0)
    async with database.writing() as session:
        key = await owned_keys.create(session, owner, {"budget": 750}, at=now())
    done = await at_once(
        database,
        [lambda session: shared_keys.reserve(session, key.id, uuid4(), 100, allow_downgrade=False)]
        * AT_ONCE,
    )
    assert done.count(shared_keys.Standing.OWNER) == 7
    async with database.reading() as session:
        assert (await shared_keys.by_id(session, key.id)).held == 700


async def test_no_more_keys_than_allowed(database):
    (owner,) = await people(database, 0)
    done = await at_once(
        database, [lambda session: owned_keys.create(session, owner, {}, at=now())] * AT_ONCE
    )
    refused = [each for each in done if isinstance(each, owned_keys.TooManySharedKeys)]
    assert len(refused) == AT_ONCE - owned_keys.MAX_KEYS
