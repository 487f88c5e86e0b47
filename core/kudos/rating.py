"""Rewards for ratings. Amounts are hundredths of a kudos."""

from collections.abc import Sequence
from typing import Final

from core.db import Writing
from core.ledger import events
from core.ledger.tables import SystemAccount

RATED: Final = 500
WITH_ARTIFACTS: Final = 500
BEST: Final = 1500
MIN_COST: Final = 100
"""The least that a request costs, whatever its rating."""
PLAIN: Final = 7
"""From this rating on, choosing another picture as the best adds nothing."""


def for_picture(*, artifacts: bool) -> int:
    """For one picture's rating: 5, and 5 more where its flaws are rated too."""
    return RATED + WITH_ARTIFACTS * artifacts


def for_request(
    ratings: Sequence[tuple[int, bool]], *, has_best: bool, best_is_rated: bool, consumed: int
) -> int:
    """For a requester's rating of a request: at most what it cost, less 1.

    ratings: each picture's rating (1 … 10), and whether its flaws are rated too. Choosing the best
        picture earns 15, and as much again if only one other picture is rated, and not highly.
    consumed: what the request cost.
    """
    amount = sum(for_picture(artifacts=artifacts) for _, artifacts in ratings)
    says_more = len(ratings) == 1 and ratings[0][0] < PLAIN and not best_is_rated
    if has_best and (not ratings or says_more):
        amount += BEST
    return max(0, min(amount, consumed - MIN_COST))


async def pay(session: Writing, *, key: str, account: int, amount: int) -> None:
    """Mint it, once for each key (`rating:<what>`)."""
    entries = {SystemAccount.GRANTS.value: -amount, account: amount}
    await events.post(session, kind="rating", key=key, entries=entries)
