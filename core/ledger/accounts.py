"""Accounts: opening them and reading what they hold.

Users' balances are stored. System accounts take part in nearly every event, so a stored balance
would make all events wait for one row: theirs are sums over entries, from a checkpoint on.
"""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import BigInteger, Select, bindparam, cast, func, insert, select, update

from core.db import Reading, Writing, table
from core.ledger import events
from core.ledger.tables import Account, AccountKind, Checkpoint, Entry, SystemAccount, is_stored
from core.prepared import prepared

_accounts = table(Account)
_checkpoints = table(Checkpoint)
_entries = table(Entry)


class Funds(NamedTuple):
    """The amounts of an account, in hundredths of a kudos."""

    balance: int
    available: int
    """What can be spent: the balance without holds and floor."""


async def open_pair(session: Writing, *, floor: int) -> tuple[int, int]:
    """Open a spendable account and its escrow; returns their ids in this order.

    floor: hundredths of a kudos, at least 0. They are granted from the mint and stay: the account
        can neither spend them nor give them away.
    """
    spendable = await _open(session, AccountKind.SPENDABLE)
    escrow = await _open(session, AccountKind.ESCROW)
    await events.post(
        session,
        kind="floor",
        key=f"floor:{spendable}",
        entries={SystemAccount.FLOORS: -floor, spendable: floor},
    )
    await session.execute(update(_accounts).where(_accounts.c.id == spendable).values(floor=floor))
    return spendable, escrow


async def _open(session: Writing, kind: AccountKind) -> int:
    opened = await session.execute(
        insert(_accounts).values(kind=kind, floor=0, balance=0, held=0).returning(_accounts.c.id)
    )
    return int(opened.scalar_one())


async def balance(session: Reading, account_id: int) -> int:
    """What the account has, in hundredths of a kudos; a mint's balance is negative.

    Raises sqlalchemy.exc.NoResultFound if there is no such account.
    """
    if is_stored(account_id):
        stored = select(_accounts.c.balance).where(_accounts.c.id == account_id)
        return int((await session.execute(stored)).scalar_one())
    summed = _system_balances().where(_accounts.c.id == account_id)
    return int((await session.execute(summed)).one().balance)


async def balances(session: Reading, account_ids: Collection[int]) -> dict[int, int]:
    """What these accounts of users have, by id, in hundredths of a kudos."""
    rows = await session.execute(
        select(_accounts.c.id, _accounts.c.balance).where(_accounts.c.id.in_(account_ids))
    )
    return {row.id: row.balance for row in rows}


def _system_balances() -> Select[tuple[int, int]]:
    latest = (
        select(func.max(_checkpoints.c.last_entry_id))
        .where(_checkpoints.c.account_id == _accounts.c.id)
        .correlate(_accounts)
        .scalar_subquery()
    )
    tail = (
        select(func.coalesce(func.sum(_entries.c.amount), 0))
        .where(
            _entries.c.account_id == _accounts.c.id,
            _entries.c.id > func.coalesce(_checkpoints.c.last_entry_id, 0),
        )
        .correlate(_accounts, _checkpoints)
        .scalar_subquery()
    )
    return (
        select(
            _accounts.c.id,
            # PostgreSQL sums a bigint as a numeric.
            cast(func.coalesce(_checkpoints.c.balance, 0) + tail, BigInteger).label("balance"),
        )
        .select_from(_accounts)
        .outerjoin(
            _checkpoints,
            (_checkpoints.c.account_id == _accounts.c.id)
            & (_checkpoints.c.last_entry_id == latest),
        )
        .where(_accounts.c.kind == AccountKind.SYSTEM)
    )


async def lock(session: Writing, account_ids: Collection[int]) -> dict[int, int]:
    """Lock these accounts for this transaction. Returns what each has available, by id.

    Available is what can be spent: the balance without holds and floor, in hundredths of a kudos.
    System accounts are left out: they are never locked. Accounts are locked by ascending id, after
    the holds that the transaction needs, and all of them at once: otherwise two transactions may
    deadlock. A plain FOR UPDATE would deadlock too: it conflicts with the lock that inserting an
    entry takes on its account.
    """
    locked = await session.execute(_lock, {"ids": sorted(filter(is_stored, account_ids))})
    return {row.id: int(row.available) for row in locked}


async def funds(session: Reading, account_id: int) -> Funds:
    """What a user's account has, as of now; it is not locked.

    Raises sqlalchemy.exc.NoResultFound if there is no such account.
    """
    return Funds(*(await session.execute(_funds, {"id": account_id})).one())


async def locked_funds(session: Writing, account_id: int) -> Funds:
    """The same, locked until the transaction ends."""
    return Funds(*(await session.execute(_locked_funds, {"id": account_id})).one())


_available = (_accounts.c.balance - _accounts.c.held - _accounts.c.floor).label("available")
_funds = prepared(select(_accounts.c.balance, _available).where(_accounts.c.id == bindparam("id")))
_locked_funds = prepared(_funds.with_for_update(key_share=True))
_lock = (
    select(_accounts.c.id, _available)
    .where(_accounts.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(_accounts.c.id)
    .with_for_update(key_share=True)
)
