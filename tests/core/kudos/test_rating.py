import pytest

import factories
from core.kudos import rating
from core.ledger import accounts, audit
from core.ledger.tables import SystemAccount

PLENTY = 1_000_000


@pytest.mark.parametrize(
    ("ratings", "best", "amount"),
    [
        ([(5, False)], None, 500),
        ([(5, True)], None, 1000),
        ([(5, True), (9, False)], None, 1500),
        ([], "unrated", 1500),
        ([(6, False)], "unrated", 2000),
        ([(7, False)], "unrated", 500),
        ([(6, False)], "rated", 500),
        ([(6, False), (5, False)], "unrated", 1000),
    ],
)
def test_what_ratings_of_a_request_earn(ratings, best, amount):
    earned = rating.for_request(
        ratings, has_best=best is not None, best_is_rated=best == "rated", consumed=PLENTY
    )
    assert earned == amount


@pytest.mark.parametrize(("consumed", "amount"), [(0, 0), (100, 0), (450, 350), (1100, 1000)])
def test_they_earn_less_than_the_request_cost(consumed, amount):
    assert (
        rating.for_request([(5, True)], has_best=False, best_is_rated=False, consumed=consumed)
        == amount
    )


def test_a_picture_of_somebody_else():
    assert rating.for_picture(artifacts=False) == 500
    assert rating.for_picture(artifacts=True) == 1000


async def test_a_reward_is_minted_once(session):
    account = (await factories.account_pair(session)).spendable
    for _ in range(2):
        await rating.pay(session, key="rating:x", account=account, amount=700)
    assert await accounts.balance(session, account) == 700
    assert await accounts.balance(session, SystemAccount.GRANTS) == -700
    assert (await audit.audit(session)).balanced
