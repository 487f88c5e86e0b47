import pytest
from sqlalchemy import select

import factories
from core.kudos import settlement
from core.ledger import accounts, audit, events
from core.ledger.tables import Event, SystemAccount

TAX, REWARDS, FORGIVENESS = SystemAccount.TAX, SystemAccount.REWARDS, SystemAccount.FORGIVENESS


@pytest.fixture
async def payer(session):
    return await factories.account_pair(session, floor=1400, available=1000)


@pytest.fixture
async def owner(session):
    return await factories.account_pair(session)


async def settle(session, payer, owner, **terms):
    terms = {
        "key": "job 1",
        "trusted": True,
        "charge": 892,
        "reward": 792,
        "hold_key": None,
    } | terms
    await settlement.settle(
        session,
        key=terms["key"],
        payer_account=payer if isinstance(payer, int) else payer.spendable,
        owner_account=owner.spendable,
        owner_escrow=owner.escrow,
        owner_trusted=terms["trusted"],
        charge=terms["charge"],
        reward=terms["reward"],
        hold_key=terms["hold_key"],
        kind="image",
    )


async def system(session):
    """What the system accounts have, but floors and grants, of a ledger that is sound."""
    assert (await audit.audit(session)).balanced
    balances = await factories.system_balances(session)
    return {
        account.name: amount
        for account, amount in balances.items()
        if amount and account not in (SystemAccount.FLOORS, SystemAccount.GRANTS)
    }


async def balances(session, *ids):
    return [await accounts.balance(session, account) for account in ids]


async def test_the_payer_pays_the_owner_and_the_tax(session, payer, owner):
    await settle(session, payer, owner)
    assert await balances(session, payer.spendable, *owner) == [1508, 792, 0]
    assert await system(session) == {"TAX": 100}


async def test_an_untrusted_owner_gets_half_in_escrow_and_the_odd_part_to_spend(
    session, payer, owner
):
    await settle(session, payer, owner, reward=793, trusted=False)
    assert await balances(session, *owner) == [397, 396]


async def test_a_reward_above_the_charge_is_minted(session, payer, owner):
    await settle(session, payer, owner, charge=100, reward=792)
    assert await balances(session, payer.spendable, *owner) == [2300, 792, 0]
    assert await system(session) == {"REWARDS": -692}


async def test_what_the_payer_lacks_is_forgiven(session, payer, owner):
    await settle(session, payer, owner, charge=1700, reward=1500)
    assert await balances(session, payer.spendable, *owner) == [1400, 1500, 0]
    assert await system(session) == {"TAX": 200, "FORGIVENESS": -700}


async def test_the_hold_pays_first_and_keeps_its_rest(session, payer, owner):
    await factories.hold(session, key="h", account_id=payer.spendable, amount=1000)
    await settle(session, payer, owner, hold_key="h")
    assert await balances(session, payer.spendable) == [1508]
    assert (await accounts.lock(session, {payer.spendable})) == {payer.spendable: 0}
    assert await factories.release(session, "h") == 108


async def test_the_available_pays_what_the_hold_does_not(session, payer, owner):
    await factories.hold(session, key="h", account_id=payer.spendable, amount=300)
    await settle(session, payer, owner, hold_key="h")
    assert await balances(session, payer.spendable) == [1508]
    assert await factories.release(session, "h") == 0


async def test_what_is_held_for_another_request_does_not_pay(session, payer, owner):
    await factories.hold(session, key="h", account_id=payer.spendable, amount=300)
    await factories.hold(session, key="other", account_id=payer.spendable, amount=600)
    await settle(session, payer, owner, hold_key="h")
    assert await balances(session, payer.spendable) == [2000]
    assert await system(session) == {"TAX": 100, "FORGIVENESS": -492}


async def test_the_anonymous_user_always_pays(session, owner):
    await settle(session, SystemAccount.ANONYMOUS, owner, hold_key="h")
    assert await balances(session, *owner) == [792, 0]
    assert await system(session) == {"TAX": 100, "ANONYMOUS": -892}


async def test_a_payer_with_an_own_worker_pays_the_difference(session, payer):
    await settle(session, payer, payer)
    assert await balances(session, *payer) == [2300, 0]
    assert await system(session) == {"TAX": 100}


async def test_a_payer_without_kudos_pays_from_the_own_reward(session):
    payer = await factories.account_pair(session, floor=1400)
    await settle(session, payer, payer)
    assert await balances(session, *payer) == [1400, 0]
    assert await system(session) == {"TAX": 100, "FORGIVENESS": -100}


async def test_a_job_is_settled_once(session, payer, owner):
    await factories.hold(session, key="h", account_id=payer.spendable, amount=1000)
    for charge in (892, 892, 50):
        await settle(session, payer, owner, hold_key="h", charge=charge)
    assert await balances(session, payer.spendable, *owner) == [1508, 792, 0]
    assert await factories.release(session, "h") == 108


async def test_a_picture_that_costs_nothing_is_settled(session, payer, owner):
    await settle(session, payer, owner, charge=0, reward=0)
    assert await balances(session, payer.spendable, *owner) == [2400, 0, 0]
    assert await system(session) == {}


async def test_an_owner_without_escrow_gets_all_to_spend(session, payer, owner):
    await settle(session, payer, owner._replace(escrow=None), trusted=False)
    assert await balances(session, *owner) == [792, 0]


@pytest.mark.parametrize(("amount", "left", "forgiven"), [(300, 2100, 0), (1300, 1400, 300)])
async def test_a_tax_is_burned_once(session, payer, amount, left, forgiven):
    for _ in range(2):
        await settlement.charge_tax(session, key="t", payer_account=payer.spendable, amount=amount)
    assert await balances(session, payer.spendable) == [left]
    assert await balances(session, TAX, FORGIVENESS) == [amount, -forgiven]


async def test_what_moves_nothing_is_no_event(session, payer, owner):
    await settlement.charge_tax(session, key="t", payer_account=payer.spendable, amount=0)
    await settlement.uptime(
        session,
        key="worker 1 at 600 s",
        owner_account=owner.spendable,
        owner_escrow=owner.escrow,
        owner_trusted=True,
        amount=0,
    )
    written = await session.scalars(select(Event.kind))
    assert not {"tax", "uptime"}.intersection(written)


async def test_the_anonymous_user_is_taxed(session):
    await settlement.charge_tax(session, key="t", payer_account=7, amount=300)
    assert await system(session) == {"TAX": 300, "ANONYMOUS": -300}


@pytest.mark.parametrize(("trusted", "expected"), [(True, [5000, 0]), (False, [0, 5000])])
async def test_uptime_goes_to_escrow_until_the_owner_is_trusted(session, owner, trusted, expected):
    for _ in range(2):
        await settlement.uptime(
            session,
            key="worker 1 at 600 s",
            owner_account=owner.spendable,
            owner_escrow=owner.escrow,
            owner_trusted=trusted,
            amount=5000,
        )
    assert await balances(session, *owner) == expected
    assert await system(session) == {"UPTIME": -5000}


async def test_a_grant_is_given_once_and_can_be_taken_back(session, owner):
    account = owner.spendable
    for _ in range(2):
        await settlement.grant(session, key="g", account=account, amount=700)
    await settlement.grant(session, key="back", account=account, amount=-300)
    assert await balances(session, account, SystemAccount.GRANTS) == [400, -400]


async def test_no_more_is_taken_back_than_is_there(database):
    async with database.writing() as session:
        account = (await factories.account_pair(session, available=100)).spendable
    with pytest.raises(events.InsufficientKudos):
        async with database.writing() as session:
            await settlement.grant(session, key="back", account=account, amount=-101)
    async with database.reading() as session:
        assert await balances(session, account) == [100]
