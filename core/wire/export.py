"""`GET /api/v2/users/{user_id}/export` (ours): everything that is stored about a user."""

from datetime import datetime
from typing import Any

from core.wire.model import Answer
from core.wire.users import UserDetails


class ExportedAccount(Answer):
    """The registration. Keys and passkeys are known to nobody: only their hashes are stored."""

    id: int
    username: str
    login: str
    """Who the user is at a login service, or a number if there is no login."""
    roles: list[str]
    registered: datetime
    last_active: datetime
    """To the hour."""


class ExportedEntry(Answer):
    """What an event moved on one of the user's accounts."""

    id: int
    at: datetime
    kind: str
    account: str
    """spendable or escrow."""
    kudos: float


class UserExport(Answer):
    """Everything that is stored about a user; the ledger's entries page by page, latest first."""

    account: ExportedAccount
    details: UserDetails
    """The user as they see themselves, totals of requests and work included."""
    kept: dict[str, list[dict[str, Any]]]
    """Workers, requests that have not expired, styles and so on, row by row as they are stored:
    times in UTC, kudos in hundredths. At most 1000 of each.
    """
    entries: list[ExportedEntry]
    entries_before: int | None
    """Send it as `before` to get older entries; None if there are no more."""
