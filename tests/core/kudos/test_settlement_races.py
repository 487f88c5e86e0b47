"""Many transactions at once on one payer: nothing is spent twice, nobody deadlocks."""

import asyncio
import itertools
import random

import pytest

import factories
from core.kudos import settlement
from core.ledger import accounts, audit, events, holds
from core.ledger.tables import SystemAccount

AT_ONCE = 40


async def at_once(database, tasks):
    """Run each task in a transaction of its own, all at the same time; what they returned."""

    async def run(task):
        async with database.writing() as session:
            return await task(session)

    async with asyncio.timeout(60):
        return await asyncio.gather(*(run(task) for task in tasks))


async def opened(database, *available):
    async with database.writing() as session:
        return [await factories.account_pair(session, available=each) for each in available]


async def sound(database):
    async with database.reading() as session:
        said = await audit.audit(session)
    assert said.balanced, said
    return said


def settling(key, payer, owner, *, charge=100, reward=90, hold_key=None):
    return lambda session: settlement.settle(
        session,
        key=key,
        payer_account=payer.spendable,
        owner_account=owner.spendable,
        owner_escrow=owner.escrow,
        owner_trusted=False,
        charge=charge,
        reward=reward,
        hold_key=hold_key,
        kind="image",
    )


async def balance(database, account):
    async with database.reading() as session:
        return await accounts.balance(session, account)


async def test_settlements_of_one_payer_spend_what_is_there_and_no_more(database):
    payer, owner = await opened(database, 1550, 0)
    await at_once(database, [settling(f"job {n}", payer, owner) for n in range(AT_ONCE)])
    said = await sound(database)
    assert await balance(database, payer.spendable) == 0
    assert said.system[SystemAccount.FORGIVENESS] == -(AT_ONCE * 100 - 1550)
    assert await balance(database, owner.spendable) == AT_ONCE * 45


async def test_an_audit_sees_one_moment_while_kudos_move(database):
    payer, owner = await opened(database, 1550, 0)
    done = asyncio.Event()

    async def watch():
        audits = 0
        while not done.is_set():
            said = await sound(database)
            assert said.supply + sum(said.system.values()) == 0
            audits += 1
        return audits

    watching = asyncio.create_task(watch())
    await at_once(database, [settling(f"job {n}", payer, owner) for n in range(AT_ONCE)])
    done.set()
    assert await watching > 1


async def test_a_job_is_paid_once(database):
    payer, owner = await opened(database, 10_000, 0)
    await at_once(database, [settling("job", payer, owner)] * AT_ONCE)
    await sound(database)
    assert await balance(database, payer.spendable) == 9_900
    assert await balance(database, owner.escrow) == 45


async def test_a_hold_is_captured_once(database):
    payer, owner = await opened(database, 1000, 0)
    async with database.writing() as session:
        await factories.hold(session, key="h", account_id=payer.spendable, amount=1000)
    tasks = [settling(f"job {n}", payer, owner, hold_key="h") for n in range(AT_ONCE)]
    await at_once(database, tasks)
    said = await sound(database)
    assert await balance(database, payer.spendable) == 0
    assert said.held == 0
    assert said.system[SystemAccount.FORGIVENESS] == -(AT_ONCE * 100 - 1000)


@pytest.mark.parametrize("partly", [False, True])
async def test_holds_never_exceed_what_is_there(database, partly):
    (payer,) = await opened(database, 1550)
    placed = await at_once(
        database,
        [
            lambda session, n=n: factories.hold(
                session, key=f"h{n}", account_id=payer.spendable, amount=100, partly=partly
            )
            for n in range(AT_ONCE)
        ],
    )
    assert placed.count(100) == 15
    assert sum(filter(None, placed)) == (1550 if partly else 1500)
    assert (await sound(database)).held == (1550 if partly else 1500)


async def test_a_hold_is_released_once(database):
    (payer,) = await opened(database, 1550)
    async with database.writing() as session:
        await factories.hold(session, key="h", account_id=payer.spendable, amount=1000)
    given_back = await at_once(
        database, [lambda session: factories.release(session, "h")] * AT_ONCE
    )
    assert sorted(given_back) == [0] * (AT_ONCE - 1) + [1000]
    assert (await sound(database)).held == 0


async def test_a_sweep_of_many_holds_does_not_deadlock_with_settlements(database):
    users = await opened(database, *[1000] * 6)
    for sweep in range(6):
        keys = []
        for n, user in enumerate(reversed(users)):
            keys.append(f"h{sweep}.{n}")
            async with database.writing() as session:
                await factories.hold(
                    session, key=keys[-1], account_id=user.spendable, amount=10, partly=True
                )
        tasks = [
            settling(f"job {sweep}.{n}", payer, owner, charge=1, reward=1)
            for n, (payer, owner) in enumerate(itertools.permutations(users, 2))
        ]
        tasks[3:3] = [lambda session, keys=keys: holds.release(session, keys=keys)]
        assert (await at_once(database, tasks))[3] == 60
        assert (await sound(database)).held == 0


async def test_two_gifts_of_the_last_kudos(database):
    giver, taker = await opened(database, 100, 0)

    async def give(session, n):
        await events.post(
            session,
            kind="gift",
            key=f"gift {n}",
            entries={giver.spendable: -100, taker.spendable: 100},
        )

    async def attempt(n):
        try:
            await at_once(database, [lambda session: give(session, n)])
        except events.InsufficientKudos:
            return False
        return True

    given = await asyncio.gather(*(attempt(n) for n in range(AT_ONCE)))
    assert given.count(True) == 1
    await sound(database)
    assert await balance(database, taker.spendable) == 100


async def test_a_gift_is_given_once(database):
    giver, taker = await opened(database, 1000, 0)
    entries = {giver.spendable: -100, taker.spendable: 100}
    given = await at_once(
        database,
        [lambda session: events.post(session, kind="gift", key="g", entries=entries)] * AT_ONCE,
    )
    assert given.count(True) == 1
    assert await balance(database, taker.spendable) == 100


async def test_users_who_pay_each_other_crosswise_do_not_deadlock(database):
    """Everybody's worker serves everybody, with and without holds, while holds come and go."""
    users = await opened(database, 700, 0, 5_000, 100_000)
    pairs = list(itertools.product(users, repeat=2))
    chance = random.Random(1)
    async with database.writing() as session:
        for n, (payer, _) in enumerate(pairs):
            await factories.hold(
                session, key=f"h{n}", account_id=payer.spendable, amount=250, partly=True
            )
    tasks = []
    for n, (payer, owner) in enumerate(pairs):
        tasks += [
            settling(f"job {n}.{job}", payer, owner, hold_key=f"h{n}", charge=100, reward=101)
            for job in range(4)
        ]
        tasks.append(lambda session, n=n: factories.release(session, f"h{n}"))
        tasks.append(
            lambda session, n=n, payer=payer: settlement.charge_tax(
                session, key=f"tax {n}", payer_account=payer.spendable, amount=100
            )
        )
        tasks.append(
            lambda session, n=n, payer=payer: factories.hold(
                session, key=f"new {n}", account_id=payer.spendable, amount=30, partly=True
            )
        )
    chance.shuffle(tasks)
    await at_once(database, tasks)
    said = await sound(database)
    assert said.system[SystemAccount.TAX] == 100 * len(pairs)
    assert said.system[SystemAccount.REWARDS] == -4 * len(pairs)
    assert said.system[SystemAccount.FORGIVENESS] < 0
