"""Events: the only code that moves kudos.

An event has entries that sum to zero, so all entries of all accounts always do. Nothing here
commits: the caller's transaction commits an event together with what it pays for, or neither.

Order of locks, which keeps transactions from deadlocking: holds, then accounts by ascending id
where their balances have to be known, then the event's key. Post one event a transaction, and post
it last: stored balances are the last thing written, so that a payer with many jobs in flight is
locked for as short as possible.
"""

from collections.abc import Mapping

from sqlalchemy import BigInteger, Select, bindparam, func, insert, select, true, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.dml import ReturningInsert

from core import dialects
from core.db import Writing, now, table
from core.errors import Forbidden, Invalid
from core.ledger.tables import Account, Entry, Event, is_stored
from core.prepared import prepared

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
    """An account would have less than its floor and its holds."""

    code = "InsufficientKudos"


async def post(session: Writing, *, kind: str, key: str, entries: Mapping[int, int]) -> bool:
    """Move kudos between accounts, once for each `key`.

    kind: the reason, for statistics; at most 24 characters.
    key: names the business event; unique among all events, at most 160 characters.
    entries: hundredths of a kudos by account id, positive to the account, zeros dropped.

    Returns False, without writing anything, if the key exists already: a retry never pays twice.
    Raises UnbalancedEvent, and InsufficientKudos, after which the transaction must be rolled back.
    """
    if not await write(session, kind=kind, key=key, entries=entries):
        return False
    await move(session, entries)
    return True


async def write(session: Writing, *, kind: str, key: str, entries: Mapping[int, int]) -> bool:
    """Write an event and its entries, without the balances, which `move` changes last.

    Arguments, result and errors are those of `post`.
    """
    entries = _balanced(entries)
    if session.engine == "postgresql":
        its = {"its_kind": kind, "its_key": key, "its_at": now()}
        given = {"accounts": list(entries), "amounts": list(entries.values())}
        return await session.scalar(_WRITE, its | given) is not None
    event_id = await _begin(session, kind=kind, key=key)
    if event_id is None:
        return False
    await _add(session, event_id, entries)
    return True


def _adding(insert: dialects.Insert) -> ReturningInsert[int]:
    """An event, unless its key exists; returns its id."""
    its = {
        name: bindparam(f"its_{name}", type_=_events.c[name].type) for name in ("kind", "key", "at")
    }
    new = insert.values(its).on_conflict_do_nothing(index_elements=[_events.c.key])
    return new.returning(_events.c.id)


def _written_at_once() -> Select[tuple[int]]:
    """An event and its entries in one statement, which only PostgreSQL supports."""
    event = _adding(postgresql.insert(_events)).cte("event")
    given = (
        func.unnest(
            bindparam("accounts", type_=ARRAY(BigInteger)),
            bindparam("amounts", type_=ARRAY(BigInteger)),
        )
        .table_valued("account", "amount", name="given")
        .render_derived()
    )
    entries = (
        insert(_entries)
        .from_select(
            ["event_id", "account_id", "amount"],
            select(event.c.id, given.c.account, given.c.amount).select_from(
                event.join(given, true())
            ),
        )
        .cte("entries")
    )
    return select(event.c.id).add_cte(entries)


_WRITE = prepared(_written_at_once())


async def _begin(session: Writing, *, kind: str, key: str) -> int | None:
    """Write an event without entries. Returns its id, or None if the key exists already.

    Waits for a transaction that is writing the same key: afterwards either that event exists, or
    this one is the first.
    """
    values = {"its_kind": kind, "its_key": key, "its_at": now()}
    written: int | None = await session.scalar(_BEGIN[session.engine], values)
    return written


_BEGIN = {name: prepared(_adding(insert)) for name, insert in dialects.inserts(_events).items()}


def _balanced(entries: Mapping[int, int]) -> dict[int, int]:
    """The entries that move something. Raises UnbalancedEvent."""
    if total := sum(entries.values()):
        raise UnbalancedEvent(f"the entries of an event sum to {total}, not to zero")
    return {account_id: amount for account_id, amount in entries.items() if amount}


async def _add(session: Writing, event_id: int, entries: Mapping[int, int]) -> None:
    if entries:
        await session.execute(
            insert(_entries),
            [
                {"event_id": event_id, "account_id": account_id, "amount": amount}
                for account_id, amount in entries.items()
            ],
        )


async def move(
    session: Writing, entries: Mapping[int, int], *, freed: Mapping[int, int] | None = None
) -> None:
    """Change the stored balances by entries already written: the transaction's last statement.

    freed: by account, what is no longer held; negative if more is.

    Raises InsufficientKudos, after which the transaction must be rolled back.
    """
    freed = freed or {}
    moves = [
        {
            "account": account_id,
            "change": entries.get(account_id, 0),
            "taken": freed.get(account_id, 0),
        }
        for account_id in sorted(entries.keys() | freed.keys())
        if is_stored(account_id) and (entries.get(account_id) or freed.get(account_id))
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
