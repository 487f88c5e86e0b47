"""`GET /api/v2/users/{user_id}/export` (ours): everything that is kept about a user."""

from datetime import datetime
from typing import Any

from core.wire.model import Answer
from core.wire.ratings import SharedPictureDetails
from core.wire.sharedkeys import SharedKeyDetails
from core.wire.users import UserDetails


class ExportedAccount(Answer):
    """The registration. Keys and passkeys are known to nobody: only their hashes are kept."""

    id: int
    username: str
    login: str
    """Who the user is at a login service, or a number where there is no login."""
    roles: list[str]
    registered: datetime
    last_active: datetime
    """To the hour."""
    suspicions: dict[str, int]
    """Reasons for suspicion, and how often each still counts."""
    sessions: list[datetime]
    """When each login began that still holds."""


class ExportedWorker(Answer):
    """A worker of the user's, as it last declared itself."""

    id: str
    name: str
    kind: str
    created: datetime
    last_seen: datetime
    agent: str
    info: str | None
    offer: dict[str, Any]


class ExportedRequest(Answer):
    """A request that has not expired: prompts and sources are deleted when it does."""

    id: str
    kind: str
    created: datetime
    expires: datetime
    client_agent: str
    proxied_account: str | None
    webhook: str | None
    shared: bool
    prompt: str
    params: dict[str, Any]


class ExportedStyle(Answer):
    """A style of the user's."""

    id: str
    name: str
    kind: str
    prompt: str
    params: dict[str, Any]


class ExportedRating(Answer):
    """What the user thinks of a shared picture."""

    picture: str
    at: datetime
    rating: int | None
    artifacts: int | None
    best: bool


class ExportedEntry(Answer):
    """What an event moved on one of the user's accounts."""

    id: int
    at: datetime
    kind: str
    account: str
    """spendable or escrow."""
    kudos: float


class UserExport(Answer):
    """Everything that is kept about a user; the ledger's entries page by page, the latest first."""

    account: ExportedAccount
    details: UserDetails
    """The user as they see themselves, totals of requests and work included."""
    shared_keys: list[SharedKeyDetails]
    workers: list[ExportedWorker]
    requests: list[ExportedRequest]
    styles: list[ExportedStyle]
    shared_pictures: list[SharedPictureDetails]
    """The latest 1000; `GET shared/pictures` lists all."""
    ratings: list[ExportedRating]
    """The latest 1000."""
    entries: list[ExportedEntry]
    entries_before: int | None
    """Send it as `before` to get the entries that are older; None where there are no more."""
