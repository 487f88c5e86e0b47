"""Events: the only code that moves kudos.

An event has entries that sum to zero, so all entries of all accounts always do. Nothing here
commits; the caller's transaction makes an event and what it pays for true together, or neither.

Order of locks, which keeps transactions from deadlocking: the event's key, then holds, then
accounts by ascending id. Post one event a transaction, and post it last: stored balances are the
last thing written, so that a payer with many jobs in flight is locked for as short as possible.
"""

from collections.abc import Mapping

from sqlalchemy import bindparam, insert, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from core import dialects
from core.db import now, table
from core.errors import Forbidden, Invalid
from core.ledger.tables import Account, Entry, Event, is_stored

_accounts = table(Account)
_entries = table(Entry)
_events = table(Event)

_move = (
    update(_accounts)
    .where(_accounts.c.id == bindparam("account"))
    .values(
        balance=_accounts.c.balance + bindparam("change"),
        held=_accounts.c.held - bindparam("taken"),
    )
)


class UnbalancedEvent(Invalid):
    """The entries of an event do not sum to zero: kudos would appear or vanish."""

    code = "UnbalancedEvent"


class InsufficientKudos(Forbidden):
    """An account would fall under its floor and what is held of it."""

    code = "InsufficientKudos"


async def post(session: AsyncSession, *, kind: str, key: str, entries: Mapping[int, int]) -> bool:
    """Move kudos between accounts, once for each `key`.

    kind: what moved them, for statistics; at most 24 characters.
    key: names the business event; unique among all events, at most 160 characters.
    entries: hundredths of a kudos by account id, positive to the account, zeros dropped.

    Returns False, having written nothing, where the key already stands: a retry never pays twice.
    Raises UnbalancedEvent, and InsufficientKudos, after which the transaction must be rolled back.
    """
    event_id = await begin(session, kind=kind, key=key)
    if event_id is None:
        return False
    await enter(session, event_id, entries)
    return True


async def begin(session: AsyncSession, *, kind: str, key: str) -> int | None:
    """Write an event that has no entries yet; its id, or None where the key already stands.

    Waits for a transaction that is writing the same key: afterwards that event stands, or this
    one is the first. For events whose entries depend on balances; they are made by `enter`.
    """
    values = {"kind": kind, "key": key, "at": now()}
    written: int | None = await session.scalar(_begin[dialects.name(session)], values)
    return written


_begin = {
    name: insert.on_conflict_do_nothing(index_elements=[_events.c.key]).returning(_events.c.id)
    for name, insert in dialects.inserts(_events).items()
}


async def enter(
    session: AsyncSession,
    event_id: int,
    entries: Mapping[int, int],
    *,
    captured: Mapping[int, int] | None = None,
) -> None:
    """Write an event's entries and then, as the last statement, the balances they change.

    entries: as for `post`.
    captured: what `holds.capture` gave for this event, by account; it is no longer held.

    Raises UnbalancedEvent, and InsufficientKudos, after which the transaction must be rolled back.
    """
    if total := sum(entries.values()):
        raise UnbalancedEvent(f"the entries of an event sum to {total}, not to zero")
    entries = {account_id: amount for account_id, amount in entries.items() if amount}
    captured = captured or {}
    if entries:
        await session.execute(
            insert(_entries),
            [
                {"event_id": event_id, "account_id": account_id, "amount": amount}
                for account_id, amount in entries.items()
            ],
        )
    moves = [
        {
            "account": account_id,
            "change": entries.get(account_id, 0),
            "taken": captured.get(account_id, 0),
        }
        for account_id in sorted(entries.keys() | captured.keys())
        if is_stored(account_id)
    ]
    if not moves:
        return
    try:
        await session.execute(_move, moves)
    except IntegrityError as refused:
        # The database decides, under the row's lock: a balance read before may be out of date.
        if "covers_its_holds" not in str(refused.orig):
            raise
        raise InsufficientKudos("an account lacks the kudos that it is to pay") from refused
