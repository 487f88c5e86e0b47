"""Everything that is stored about a user.

It is read from the schema itself, by the names of tables and columns: data that another package
stores about users is exported without further code, and a test knows the tables that are left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import or_, select

from core.columns import Base
from core.db import Reading, table
from core.ledger.tables import Entry, Event
from core.users import roles, shared_keys
from core.users.tables import User

MAX_ROWS: Final = 1000
"""The most rows of one table, and entries of the ledger, in one export."""
OWNED: Final[Mapping[str, tuple[str, ...]]] = {
    "collections": ("user_id",),
    "ratings": ("user_id",),
    "reports": ("user_id",),
    "requests": ("user_id",),
    "sessions": ("user_id",),
    "shared_keys": ("user_id",),
    "shared_pictures": ("user_id",),
    "styles": ("user_id",),
    "suspicions": ("user_id",),
    "teams": ("user_id",),
    "transfers": ("giver_id", "receiver_id"),
    "worker_messages": ("user_id",),
    "workers": ("user_id",),
}
"""Tables with rows about a user, and the columns that name the user."""
NOT_EXPORTED: Final[Mapping[str, str]] = {
    "attempts": "their sums are in the details; each alone says nothing about a user",
    "filters": "the moderators' work, and not about them",
    "jobs": "a request's, without anything that the request does not say",
    "login_codes": "valid for minutes, and a secret",
    "outbox": "results on their way to the user's own address",
    "problem_jobs": "who abuses the horde must not learn what is known about it",
    "user_totals": "in the details",
}
"""The other tables, and why their rows are not exported."""
SECRET: Final = ("_hash", "_key")
"""The ending of columns that hold a digest: of a secret, or of a name for comparison."""

_entries = table(Entry)
_events = table(Event)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptEntry:
    """An entry of the ledger, and when and of what kind its event was."""

    id: int
    at: datetime
    kind: str
    account_id: int
    amount: int


@dataclass(frozen=True, slots=True)
class Kept:
    """Everything that is stored about a user besides the registration."""

    rows: dict[str, list[dict[str, Any]]]
    """By table."""
    entries: Sequence[KeptEntry]
    """The latest first."""

    @property
    def before(self) -> int | None:
        """The oldest entry here, if there are older ones."""
        return self.entries[-1].id if len(self.entries) == MAX_ROWS else None


async def read(session: Reading, by: User, user: User, *, before: int | None) -> Kept:
    """Read everything.

    before: only entries of the ledger with smaller ids; None: from the latest on.

    Raises NotOwner, for moderators too, and AnonForbidden, as everybody shares the anonymous user.
    """
    roles.refuse_anonymous(by, "export an account")
    if by.id != user.id:
        raise roles.NotOwner("Only the user themselves may export an account.")
    rows = {name: await _rows(session, name, user.id) for name in OWNED}
    # Requests that others make with the user's shared key belong to those others.
    rows["requests"] = [one for one in rows["requests"] if shared_keys.TERM not in one["terms"]]
    return Kept(rows, await _ledger(session, user, before))


async def _rows(session: Reading, name: str, user_id: int) -> list[dict[str, Any]]:
    owned = Base.metadata.tables[name]
    columns = [column for column in owned.c if not column.name.endswith(SECRET)]
    is_theirs = or_(*(owned.c[column] == user_id for column in OWNED[name]))
    found = await session.execute(
        select(*columns).where(is_theirs).order_by(*owned.primary_key.columns).limit(MAX_ROWS)
    )
    return [dict(row) for row in found.mappings()]


async def _ledger(session: Reading, user: User, before: int | None) -> list[KeptEntry]:
    """By account, as its index has them: both together would be sorted by no index."""
    found: list[KeptEntry] = []
    for account_id in (user.account_id, user.escrow_id):
        own = (
            select(
                _entries.c.id,
                _events.c.at,
                _events.c.kind,
                _entries.c.account_id,
                _entries.c.amount,
            )
            .join(_events, _events.c.id == _entries.c.event_id)
            .where(_entries.c.account_id == account_id)
        )
        if before is not None:
            own = own.where(_entries.c.id < before)
        rows = await session.execute(own.order_by(_entries.c.id.desc()).limit(MAX_ROWS))
        found += [KeptEntry(**row) for row in rows.mappings()]
    return sorted(found, key=lambda entry: entry.id, reverse=True)[:MAX_ROWS]
