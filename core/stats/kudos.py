"""The roll-up of kudos: what each account gained and lost by each kind of ledger event.

It follows the entries by their ids up to some minutes ago: ids are given before commit, so among
the newest a smaller one may still appear. Younger entries are read directly, so nothing is missing
from what is shown.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Select, case, func, select, union_all, update

from core import dialects
from core.db import Reading, Writing, table
from core.ledger.tables import Entry, Event
from core.stats.tables import KudosCounted, KudosTotal

SETTLED_AFTER = timedelta(minutes=10)
"""No transaction runs for this long: no entry this old is missing."""

_counted = table(KudosCounted)
_entries = table(Entry)
_events = table(Event)
_totals = table(KudosTotal)


class Flow(NamedTuple):
    """What an account gained and lost by one kind of event, in hundredths of a kudos."""

    gained: int = 0
    lost: int = 0
    """Zero or negative."""
    gains: int = 0
    """How often it gained something."""


async def count(session: Writing, *, at: datetime, limit: int) -> int:
    """Add the next entries, in the order of their ids, to the totals. Returns how many.

    Two at once run one after the other: the row that records the progress stays locked.
    """
    last = await _lock(session)
    next_ = (
        select(
            _entries.c.id, _entries.c.account_id, _entries.c.amount, _events.c.kind, _events.c.at
        )
        .join(_events, _events.c.id == _entries.c.event_id)
        .where(_entries.c.id > last)
        .order_by(_entries.c.id)
        .limit(limit)
    )
    added = 0
    sums: dict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in await session.execute(next_):
        if row.at > at - SETTLED_AFTER:
            break
        flow = sums[row.account_id, row.kind]
        flow[0] += max(0, row.amount)
        flow[1] += min(0, row.amount)
        flow[2] += row.amount > 0
        last, added = row.id, added + 1
    if added:
        await _add(session, sums)
        await session.execute(update(_counted).values(last_entry_id=last))
    return added


async def _lock(session: Writing) -> int:
    """The last entry in the totals; locked, so that nobody else counts until the commit."""
    await session.execute(
        dialects.insert(session, _counted)
        .values(id=1, last_entry_id=0)
        .on_conflict_do_nothing(index_elements=[_counted.c.id])
    )
    locked = select(_counted.c.last_entry_id).with_for_update()
    return int((await session.scalars(locked)).one())


async def _add(session: Writing, sums: dict[tuple[int, str], list[int]]) -> None:
    inserted = dialects.insert(session, _totals)
    names = ("gained", "lost", "gains")
    statement = inserted.on_conflict_do_update(
        index_elements=[_totals.c.account_id, _totals.c.kind],
        set_={name: _totals.c[name] + inserted.excluded[name] for name in names},
    )
    rows = [
        {"account_id": account_id, "kind": kind, **dict(zip(names, flow, strict=True))}
        for (account_id, kind), flow in sorted(sums.items())
    ]
    await session.execute(statement, rows)


async def flows(session: Reading, account_ids: Collection[int]) -> dict[int, dict[str, Flow]]:
    """What these accounts gained and lost up to now, by account and kind of event.

    It is one statement, so that an entry that is just being counted is seen once.
    """
    parts = union_all(
        select(_totals).where(_totals.c.account_id.in_(account_ids)), _tail(account_ids)
    ).subquery()
    each = [func.sum(parts.c[name]).label(name) for name in Flow._fields]
    summed = select(parts.c.account_id, parts.c.kind, *each).group_by(
        parts.c.account_id, parts.c.kind
    )
    found: dict[int, dict[str, Flow]] = defaultdict(dict)
    for row in await session.execute(summed):
        found[row.account_id][row.kind] = Flow(int(row.gained), int(row.lost), int(row.gains))
    return dict(found)


def _tail(account_ids: Collection[int]) -> Select[tuple[int, str, int, int, int]]:
    """The entries that are not in the totals yet, with the same columns."""
    counted = select(func.coalesce(func.max(_counted.c.last_entry_id), 0)).scalar_subquery()
    amount = _entries.c.amount
    return (
        select(
            _entries.c.account_id,
            _events.c.kind,
            case((amount > 0, amount), else_=0),
            case((amount < 0, amount), else_=0),
            case((amount > 0, 1), else_=0),
        )
        .join(_events, _events.c.id == _entries.c.event_id)
        .where(_entries.c.account_id.in_(account_ids), _entries.c.id > counted)
    )
