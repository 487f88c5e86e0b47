"""Holds: kudos set aside for a purpose, still their account's, that nothing else can spend.

A hold is a row and its part of the account's `held`. It is placed once, captured in parts as the
work gets done, and released when no more will come.
"""

from collections import Counter
from collections.abc import Collection

from sqlalchemy import bindparam, delete, insert, select, update

from core.db import Writing, table
from core.ledger.tables import Account, Hold
from core.prepared import prepared

_accounts = table(Account)
_holds = table(Hold)

_give_back = (
    update(_accounts)
    .where(_accounts.c.id == bindparam("account"))
    .values(held=_accounts.c.held - bindparam("left"))
)


async def add(session: Writing, *, key: str, account_id: int, amount: int, paid: int = 0) -> None:
    """Set kudos of a locked account aside, and lower its balance by what the event at hand took.

    amount and paid: hundredths of a kudos, which the account covers; the lock told so.
    """
    hold = {"hold": key, "its_account": account_id, "its_amount": amount}
    change = {"account": account_id, "more": amount, "paid": paid}
    if session.engine == "postgresql":
        await session.execute(_ADD, hold | change)
    else:
        await session.execute(_add_hold, hold)
        await session.execute(_change_account, change)


_add_hold = insert(_holds).values(
    key=bindparam("hold"), account_id=bindparam("its_account"), amount=bindparam("its_amount")
)
_change_account = (
    update(_accounts)
    .where(_accounts.c.id == bindparam("account"))
    .values(
        balance=_accounts.c.balance - bindparam("paid"),
        held=_accounts.c.held + bindparam("more"),
    )
)
_ADD = prepared(_change_account.add_cte(_add_hold.cte("hold")))


async def locked(session: Writing, *, key: str) -> int:
    """Lock a hold until the transaction ends. Returns what is in it; 0 if there is none.

    Waits for other users of the same hold.
    """
    there: int | None = await session.scalar(_amount_locked, {"hold": key})
    return int(there or 0)


_amount_locked = prepared(
    select(_holds.c.amount).where(_holds.c.key == bindparam("hold")).with_for_update()
)


async def take(session: Writing, *, key: str, amount: int) -> None:
    """Take hundredths of a kudos out of a locked hold, to spend them in the event at hand.

    The account's own `held` is lowered by that event (`events.move`), so that accounts are locked
    last and in order.
    """
    if amount:
        await session.execute(_take, {"hold": key, "taken": amount})


_take = prepared(
    update(_holds)
    .where(_holds.c.key == bindparam("hold"))
    .values(amount=_holds.c.amount - bindparam("taken"))
)


async def end(session: Writing, *, key: str) -> int:
    """End a hold. Returns what was in it; 0 if there is none.

    The account's own `held` is lowered by the event at hand (`events.move`).
    """
    left: int | None = await session.scalar(_end, {"hold": key})
    return int(left or 0)


async def release(session: Writing, *, keys: Collection[str]) -> int:
    """End holds, all of a transaction at once, and give back what is left in them.

    Accounts are locked in order: locked one by one, in the order of their holds, this transaction
    and one that settles between two of their users could deadlock. Returns the hundredths of a
    kudos that were left; keys without a hold count nothing.
    """
    released = await session.execute(_end_all, {"holds": list(keys)})
    left = Counter[int]()
    for hold in released:
        left[hold.account_id] += hold.amount
    moves = [{"account": account_id, "left": left[account_id]} for account_id in sorted(left)]
    if moves:
        await session.execute(_give_back, moves)
    return left.total()


_ended = delete(_holds).returning(_holds.c.amount, _holds.c.account_id)
_end = prepared(_ended.where(_holds.c.key == bindparam("hold")))
_end_all = _ended.where(_holds.c.key.in_(bindparam("holds", expanding=True)))
