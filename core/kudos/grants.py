"""Kudos minted by somebody's decision: awards, and what administrators give or take."""

from datetime import datetime

from core.db import Writing
from core.kudos import refusals
from core.ledger import accounts, events
from core.ledger.tables import SystemAccount
from core.users import directory, roles
from core.users.tables import Role, User


async def award(session: Writing, admin: User, *, alias: str, amount: int, key: str) -> None:
    """Award a user kudos.

    amount: hundredths of a kudos.
    key: names this award among all; a key that stands already moves nothing.

    Raises NotAllowedAwards, InvalidAwardUsername, KudosAwardToAnon, DeletedUser, and for an amount
    that is not positive NegativeKudosTransfer or InvalidKudosTransferAmount.
    """
    if not admin.has(Role.ADMIN):
        raise refusals.NotAllowedAwards("Only administrators may award kudos.")
    if amount < 0:
        raise refusals.NegativeKudosTransfer("An award is never negative.")
    if amount == 0:
        raise refusals.InvalidKudosTransferAmount("Please award at least one kudos.")
    try:
        user = await directory.by_alias(session, alias)
    except directory.UnknownUser:
        raise refusals.InvalidAwardUsername("There is no user of this name.") from None
    if user.is_anonymous:
        raise refusals.KudosAwardToAnon("The anonymous user cannot be awarded kudos.")
    if user.has(Role.DELETED):
        raise roles.DeletedUser("A deleted account cannot be awarded kudos.")
    await events.post(
        session,
        kind="award",
        key=f"award:{admin.id}:{key}",
        entries={SystemAccount.GRANTS: -amount, user.account_id: amount},
    )


async def adjust(session: Writing, user: User, amount: int, *, key: str) -> None:
    """Give a user kudos, or take them if the amount is negative: at most what is available.

    amount: hundredths of a kudos.
    key: names this change among all; a key that stands already moves nothing.

    Raises AnonForbidden: the anonymous user has no balance.
    """
    roles.refuse_anonymous(user, "be given kudos")
    if amount < 0:
        available = await accounts.lock(session, {user.account_id})
        amount = max(amount, -available[user.account_id])
    await events.post(
        session,
        kind="grant",
        key=f"admin:{user.id}:{key}",
        entries={SystemAccount.GRANTS: -amount, user.account_id: amount},
    )


async def drain_escrow(session: Writing, user: User, *, at: datetime) -> None:
    """Let the user spend what was held back until they were trusted."""
    if user.escrow_id is None:
        return
    available = await accounts.lock(session, {user.account_id, user.escrow_id})
    amount = available[user.escrow_id]
    await events.post(
        session,
        kind="trust",
        key=f"trust:{user.id}:{at.isoformat()}",
        entries={user.escrow_id: -amount, user.account_id: amount},
    )
