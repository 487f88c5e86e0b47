"""The audit: proof, from the rows alone, that no kudos appeared or vanished. And checkpoints."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import BigInteger, ScalarSelect, Select, cast, func, insert, literal, select

from core.db import Reading, Writing, now, table
from core.ledger.tables import (
    Account,
    AccountKind,
    Checkpoint,
    Entry,
    Event,
    Hold,
    SystemAccount,
)

SETTLED_AFTER = timedelta(hours=1)
"""Entry ids are given before commit, so a smaller one may appear later, but not after this time."""

_accounts = table(Account)
_checkpoints = table(Checkpoint)
_entries = table(Entry)
_events = table(Event)
_holds = table(Hold)
_is_stored = _accounts.c.kind != AccountKind.SYSTEM


@dataclass(frozen=True, slots=True)
class Audit:
    """The state of the ledger at one moment; amounts in hundredths of a kudos."""

    entries_sum: int
    """Of all entries; zero in a sound ledger."""
    unbalanced_events: int
    """Events whose entries do not sum to zero."""
    drifted_accounts: int
    """Accounts whose stored balance is not the sum of their entries."""
    holds_drift: int
    """Accounts whose `held` is not the sum of their holds."""
    wrong_checkpoints: int
    """System accounts whose latest checkpoint is not the sum of the entries it stands for."""
    accounts: int
    """Users' accounts, escrows included."""
    events: int
    entries: int
    supply: int
    """The balance of all users' accounts together, escrows included."""
    held: int
    """How much of that is held."""
    system: dict[SystemAccount, int]
    """The balance of each system account, summed from all its entries."""

    @property
    def balanced(self) -> bool:
        """Whether nothing is wrong."""
        return not (
            self.entries_sum
            or self.unbalanced_events
            or self.drifted_accounts
            or self.holds_drift
            or self.wrong_checkpoints
        )


async def audit(session: Reading) -> Audit:
    """Check the whole ledger.

    It is one statement, so that it sees a single moment even while kudos move. It reads every
    entry: keep its answer for a while.
    """
    system = {account: f"system_{account.value}" for account in SystemAccount}
    questions = {
        "entries_sum": _sum(select(_entries.c.amount)),
        "unbalanced_events": _count(_unbalanced_events()),
        "drifted_accounts": _count(_drifted_accounts()),
        "holds_drift": _count(_drifted_holds()),
        "wrong_checkpoints": _count(_wrong_checkpoints()),
        "accounts": _count(select(_accounts.c.id).where(_is_stored)),
        "events": _count(select(_events.c.id)),
        "entries": _count(select(_entries.c.id)),
        "supply": _sum(select(_accounts.c.balance)),
        "held": _sum(select(_accounts.c.held)),
    } | {
        name: _sum(select(_entries.c.amount).where(_entries.c.account_id == account))
        for account, name in system.items()
    }
    asked = select(*(query.label(name) for name, query in questions.items()))
    answers = dict((await session.execute(asked)).mappings().one())
    return Audit(system={account: answers.pop(name) for account, name in system.items()}, **answers)


def _sum(amounts: Select[tuple[int]]) -> ScalarSelect[int]:
    column = amounts.subquery().c[0]
    # PostgreSQL sums a bigint as a numeric.
    return select(cast(func.coalesce(func.sum(column), 0), BigInteger)).scalar_subquery()


def _count(rows: Select[tuple[int]]) -> ScalarSelect[int]:
    return select(func.count()).select_from(rows.subquery()).scalar_subquery()


def _unbalanced_events() -> Select[tuple[int]]:
    return (
        select(_entries.c.event_id)
        .group_by(_entries.c.event_id)
        .having(func.sum(_entries.c.amount) != 0)
    )


def _drifted_accounts() -> Select[tuple[int]]:
    entered = (
        select(_entries.c.account_id, func.sum(_entries.c.amount).label("amount"))
        .group_by(_entries.c.account_id)
        .subquery()
    )
    return (
        select(_accounts.c.id)
        .outerjoin(entered, entered.c.account_id == _accounts.c.id)
        .where(_is_stored, _accounts.c.balance != func.coalesce(entered.c.amount, 0))
    )


def _drifted_holds() -> Select[tuple[int]]:
    held = (
        select(_holds.c.account_id, func.sum(_holds.c.amount).label("amount"))
        .group_by(_holds.c.account_id)
        .subquery()
    )
    return (
        select(_accounts.c.id)
        .outerjoin(held, held.c.account_id == _accounts.c.id)
        .where(_accounts.c.held != func.coalesce(held.c.amount, 0))
    )


def _wrong_checkpoints() -> Select[tuple[int]]:
    entered = (
        select(func.coalesce(func.sum(_entries.c.amount), 0))
        .where(
            _entries.c.account_id == _checkpoints.c.account_id,
            _entries.c.id <= _checkpoints.c.last_entry_id,
        )
        .correlate(_checkpoints)
        .scalar_subquery()
    )
    latest = (
        select(_checkpoints.c.account_id, func.max(_checkpoints.c.last_entry_id).label("entry_id"))
        .group_by(_checkpoints.c.account_id)
        .subquery()
    )
    return (
        select(_checkpoints.c.account_id)
        .join(
            latest,
            (latest.c.account_id == _checkpoints.c.account_id)
            & (latest.c.entry_id == _checkpoints.c.last_entry_id),
        )
        .where(_checkpoints.c.balance != entered)
    )


async def checkpoint(session: Writing) -> None:
    """Record the balances of the system accounts as of an hour ago, so that later sums start there.

    Repeating it writes nothing new. No entry with an id up to the checkpoint's can appear later:
    its transaction would have to be older than `SETTLED_AFTER`.
    """
    recent = (
        select(func.min(_entries.c.id))
        .join(_events, _events.c.id == _entries.c.event_id)
        .where(_events.c.at >= now() - SETTLED_AFTER)
    )
    newest = select(func.coalesce(func.max(_entries.c.id), 0))
    first_recent = await session.scalar(recent)
    last = int(first_recent) - 1 if first_recent else int((await session.scalars(newest)).one())
    stands = select(literal(1)).where(_checkpoints.c.last_entry_id == last).limit(1)
    if last <= 0 or await session.scalar(stands):
        return
    sums = (
        select(
            _accounts.c.id,
            literal(last),
            cast(func.coalesce(func.sum(_entries.c.amount), 0), BigInteger),
            literal(now(), _checkpoints.c.at.type),
        )
        .outerjoin(_entries, (_entries.c.account_id == _accounts.c.id) & (_entries.c.id <= last))
        .where(_accounts.c.kind == AccountKind.SYSTEM)
        .group_by(_accounts.c.id)
    )
    columns = ["account_id", "last_entry_id", "balance", "at"]
    await session.execute(insert(_checkpoints).from_select(columns, sums))
