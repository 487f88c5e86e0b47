"""`/api/v2/users` and `/api/v2/find_user`."""

from typing import Annotated, Literal

from pydantic import Field

from core.wire.model import Answer
from core.wire.scalars import Known, Omitted, Rfc822Date

StyleType = Literal["image", "text"]


class UserKudosDetails(Answer):
    """Where a user's kudos came from and went, each since registration."""

    accumulated: float = 0.0
    gifted: float = 0.0
    donated: float = 0.0
    admin: float = 0.0
    received: float = 0.0
    recurring: float = 0.0
    awarded: float = 0.0
    styled: float = 0.0


class ContributionsDetails(Answer):
    """Obsolete, always null: `records` has it."""

    megapixelsteps: float | None = None
    fulfillments: int | None = None


class UsageDetails(Answer):
    """Obsolete, always null: `records` has it."""

    megapixelsteps: float | None = None
    requests: int | None = None


class MonthlyKudos(Answer):
    """A monthly grant."""

    amount: Omitted[int] = None
    last_received: Omitted[Rfc822Date] = None


class UserThingRecords(Answer):
    """How much was made: pictures in millions of pixels times steps, text in tokens."""

    megapixelsteps: float = 0.0
    tokens: int = 0


class UserAmountRecords(Answer):
    """How many, for each kind."""

    image: int = 0
    text: int = 0
    interrogation: int = 0


class UserRecords(Answer):
    """What a user has used and contributed."""

    usage: UserThingRecords = Field(default_factory=UserThingRecords)
    contribution: UserThingRecords = Field(default_factory=UserThingRecords)
    fulfillment: UserAmountRecords = Field(default_factory=UserAmountRecords)
    request: UserAmountRecords = Field(default_factory=UserAmountRecords)
    style: UserAmountRecords = Field(default_factory=UserAmountRecords)


class UserActiveGenerations(Answer):
    """The ids of requests that are not settled yet."""

    text: Omitted[list[str]] = None
    image: Omitted[list[str]] = None
    alchemy: Omitted[list[str]] = None


class ResponseModelStylesUser(Answer):
    """One of the user's styles."""

    name: str
    """`user#id::style::name`."""
    id: str
    type: Annotated[str, Known(StyleType)]


class UserDetails(Answer):
    """A user, as public, owner or moderator may see them: what is None was not for the caller."""

    username: str
    """The alias, `name#id`."""
    id: int
    kudos: float
    evaluating_kudos: float | None = None
    """Moderators: what is kept back until the user is trusted."""
    concurrency: int
    """How many jobs may wait at once."""
    worker_invited: int
    moderator: bool
    kudos_details: UserKudosDetails = Field(default_factory=UserKudosDetails)
    worker_count: int
    worker_ids: list[str] | None = None
    """Owner, or everybody where the user publishes their workers."""
    styles: list[ResponseModelStylesUser] = Field(default_factory=list)
    sharedkey_ids: list[str] | None = None
    """Owner."""
    active_generations: UserActiveGenerations | None = None
    """Owner."""
    monthly_kudos: MonthlyKudos | None = None
    """Moderators."""
    trusted: bool
    flagged: bool
    vpn: bool | None = None
    """Owner."""
    service: bool
    education: bool
    customizer: bool
    special: bool | None = None
    """Owner."""
    deleted: bool
    suspicious: int | None = None
    """Moderators."""
    pseudonymous: bool
    """Whether the user registered without a provider."""
    contact: str | None = None
    """Owner."""
    admin_comment: str | None = None
    """Moderators."""
    proxy_passkey: str | None = None
    """Moderators."""
    account_age: int
    """Seconds."""
    usage: UsageDetails = Field(default_factory=UsageDetails)
    contributions: ContributionsDetails = Field(default_factory=ContributionsDetails)
    records: UserRecords = Field(default_factory=UserRecords)
