"""What moves when work is accepted or delivered, or a worker was online: rules over the ledger.

Each function posts one event under the caller's key, as the last thing of the caller's transaction;
a key that exists already moves nothing. Amounts are hundredths of a kudos.

A payer is served even without kudos: what is lacking comes from FORGIVENESS. That amount is decided
while the payer's account is locked, so that two settlements at once cannot both spend it.
"""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from core.db import Writing
from core.kudos.prices import NEWEST
from core.ledger import accounts, events, holds
from core.ledger.tables import SystemAccount, is_stored

STYLE_REWARD = NEWEST.style_tax
"""For each styled request: what its styling cost the requester."""


async def settle(  # noqa: PLR0913 - two parties, and what each owes or gets
    session: Writing,
    *,
    key: str,
    payer_account: int,
    owner_account: int,
    owner_escrow: int | None,
    owner_trusted: bool,
    charge: int,
    reward: int,
    hold_key: str | None,
    kind: str,
    is_last: bool = False,
) -> None:
    """Let the payer pay for one piece of work and the worker's owner be paid.

    charge: what the payer owes. It comes from the hold, then from what the payer has available,
        and the rest is forgiven. A payer who is the owner may pay from the reward too.
    reward: what the owner gets; half of it (rounded down) to escrow while not trusted.
    hold_key: of the request's hold, or None.
    is_last: nothing more will be charged: what is left in the hold is given back.
    owner_escrow: None if the owner has none, like the anonymous user; then all is spendable.

    The difference between charge and reward is burned as tax or minted for rewards.
    """
    held = await _held(session, hold_key, is_last=is_last)
    captured = min(held, charge)
    entries = _rewarded(reward, owner_account, None if owner_trusted else owner_escrow)
    if captured < charge and is_stored(payer_account):
        available = await accounts.lock(session, {payer_account, *entries})
        means = captured + available[payer_account] + entries[payer_account]
        entries.update(_paid(payer_account, charge, means))
    else:
        entries.update({payer_account: -charge})
    entries.update(
        {SystemAccount.TAX: charge - reward}
        if charge >= reward
        else {SystemAccount.REWARDS: charge - reward}
    )
    if not await events.write(session, kind=kind, key=key, entries=entries):
        entries, captured = Counter(), 0  # it was settled already
    if hold_key and not is_last:
        await holds.take(session, key=hold_key, amount=captured)
    await events.move(session, entries, freed={payer_account: held if is_last else captured})


async def _held(session: Writing, key: str | None, *, is_last: bool) -> int:
    """What a settlement finds in the hold; the last settlement ends the hold."""
    if key is None:
        return 0
    return await (holds.end if is_last else holds.locked)(session, key=key)


async def accept(
    session: Writing,
    *,
    tax_key: str,
    hold_key: str,
    payer_account: int,
    available: int,
    tax: int,
    price: int,
    partly: bool,
) -> int | None:
    """Burn a request's tax and set its price aside. Returns what is held.

    available: what the payer's account has, as `accounts.lock` returned it. What the tax lacks is
        forgiven; it is paid before anything is held.
    partly: hold what there is, even nothing; otherwise, if the price is not covered, None is
        returned and the transaction must be rolled back.
    """
    entries = _paid(payer_account, tax, min(tax, available))
    rest = available + entries[payer_account]
    held = min(price, rest)
    if held < price and not partly:
        return None
    entries = {**entries, SystemAccount.TAX: tax}
    if tax and not await events.write(session, kind="tax", key=tax_key, entries=entries):
        raise ValueError(f"{tax_key} stands already")
    paid = -entries[payer_account]
    await holds.add(session, key=hold_key, account_id=payer_account, amount=held, paid=paid)
    return held


async def charge_tax(
    session: Writing, *, key: str, payer_account: int, amount: int, kind: str = "tax"
) -> None:
    """Burn a tax from what the payer has available; what is lacking is forgiven.

    Place the request's hold afterwards, so that the tax is paid rather than held. If there is no
    tax, nothing is written, but the payer's account is locked all the same.
    """
    if not amount:
        return
    entries = Counter({SystemAccount.TAX.value: amount})
    if is_stored(payer_account):
        available = await accounts.lock(session, {payer_account})
        entries.update(_paid(payer_account, amount, available[payer_account]))
    else:
        entries.update({payer_account: -amount})
    await events.post(session, kind=kind, key=key, entries=entries)


async def uptime(
    session: Writing,
    *,
    key: str,
    owner_account: int,
    owner_escrow: int | None,
    owner_trusted: bool,
    amount: int,
) -> None:
    """Mint a worker's reward for uptime; all of it to escrow while the owner is not trusted."""
    if not amount:
        return
    to = owner_account if owner_trusted or owner_escrow is None else owner_escrow
    await events.post(
        session, kind="uptime", key=key, entries={SystemAccount.UPTIME: -amount, to: amount}
    )


async def grant(session: Writing, *, key: str, account: int, amount: int) -> None:
    """Give an account kudos from the mint, or take them back if the amount is negative.

    Raises ledger.events.InsufficientKudos if less than that is available.
    """
    await events.post(
        session, kind="grant", key=key, entries={SystemAccount.GRANTS: -amount, account: amount}
    )


def _paid(payer: int, amount: int, means: int) -> dict[int, int]:
    paid = min(amount, means)
    return {payer: -paid, SystemAccount.FORGIVENESS: paid - amount}


def _rewarded(reward: int, spendable: int, escrow: int | None) -> Counter[int]:
    if escrow is None:
        return Counter({spendable: reward})
    return Counter({spendable: reward - reward // 2, escrow: reward // 2})


async def reward_styles(session: Writing, owed: Sequence[tuple[UUID, int]]) -> None:
    """Pay the owners of styles that were used, once for each request.

    owed: a request's id and the account of the style's owner, each.
    """
    # At once: paying one after the other would lock them in the order of the requests.
    await accounts.lock(session, {account for _, account in owed})
    for request_id, account in owed:
        await events.post(
            session,
            kind="style",
            key=f"style:{request_id}",
            entries={SystemAccount.REWARDS: -STYLE_REWARD, account: STYLE_REWARD},
        )
