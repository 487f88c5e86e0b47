"""What the owner of a style gets when somebody uses it."""

from collections.abc import Sequence
from uuid import UUID

from core.db import Writing
from core.kudos.prices import NEWEST
from core.ledger import accounts, events
from core.ledger.tables import SystemAccount

REWARD = NEWEST.style_tax
"""Hundredths of a kudos for each request: what its styling cost the requester."""


async def reward(session: Writing, owed: Sequence[tuple[UUID, int]]) -> None:
    """Pay for styled requests, once for each.

    owed: a request's id and the account of the style's owner, each.
    """
    # At once: paying one after the other would lock them in the order of the requests.
    await accounts.lock(session, {account for _, account in owed})
    for request_id, account in owed:
        await events.post(
            session,
            kind="style",
            key=f"style:{request_id}",
            entries={SystemAccount.REWARDS: -REWARD, account: REWARD},
        )
