import pytest
from sqlalchemy.exc import NoResultFound

import factories
from core.ledger import accounts
from core.ledger.tables import FIRST_USER_ACCOUNT, SystemAccount


async def test_users_accounts_are_numbered_after_the_system_accounts(session):
    pair = await accounts.open_pair(session, floor=0)
    assert min(pair) >= FIRST_USER_ACCOUNT
    assert len({*pair, *SystemAccount}) == 2 + len(SystemAccount)


async def test_the_floor_is_granted_and_cannot_be_spent(session):
    spendable, escrow = await accounts.open_pair(session, floor=1400)
    assert await accounts.balance(session, spendable) == 1400
    assert await accounts.balance(session, escrow) == 0
    assert await accounts.balance(session, SystemAccount.FLOORS) == -1400
    assert await accounts.lock(session, {spendable, escrow}) == {spendable: 0, escrow: 0}


async def test_available_is_without_floor_and_holds(session):
    account = (await factories.account_pair(session, floor=2500, available=800)).spendable
    await factories.hold(session, key="h", account_id=account, amount=300)
    assert await accounts.balance(session, account) == 3300
    assert await accounts.lock(session, {account}) == {account: 500}


async def test_system_accounts_are_summed_and_never_locked(session):
    await factories.account_pair(session, floor=1400, available=800)
    balances = await factories.system_balances(session)
    assert balances == {
        **dict.fromkeys(SystemAccount, 0),
        SystemAccount.FLOORS: -1400,
        SystemAccount.GRANTS: -800,
    }
    assert all(type(amount) is int for amount in balances.values())
    assert await accounts.lock(session, set(SystemAccount)) == {}


@pytest.mark.parametrize("missing", [99, 10**6])
async def test_an_account_that_does_not_exist_has_no_balance(session, missing):
    with pytest.raises(NoResultFound):
        await accounts.balance(session, missing)
