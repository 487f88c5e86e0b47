"""`/api/v2/users`, `/api/v2/users/{user_id}` and `/api/v2/find_user`."""

from typing import Annotated, Literal

from pydantic import Field, StrictInt

from core.wire.model import Answer, Request
from core.wire.scalars import (
    WHOLE,
    Boolean,
    Integer,
    Known,
    Maybe,
    Number,
    Omitted,
    Rfc822Date,
    String,
)

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
    """A user's use and contribution."""

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


Comment = Annotated[String, Field(min_length=5, max_length=500)]


class ModifyUserInput(Request):
    """Changes of a user; absent fields stay."""

    kudos: Maybe[Number] = None
    """Admins: how many kudos to give, or to take if it is negative."""
    concurrency: Maybe[Annotated[StrictInt, Field(ge=0, le=500), WHOLE]] = None
    """Moderators, as for all fields below without another note."""
    usage_multiplier: Maybe[Annotated[Number, Field(ge=0.1, le=10)]] = None
    """Admins."""
    worker_invited: Maybe[Integer] = None
    moderator: Maybe[Boolean] = None
    """Admins."""
    public_workers: Maybe[Boolean] = None
    """The user too."""
    monthly_kudos: Maybe[Integer] = None
    """Admins: how many kudos more each month, or less if it is negative."""
    username: Maybe[Annotated[String, Field(min_length=3, max_length=100)]] = None
    """The user too; at most 30 characters."""
    trusted: Maybe[Boolean] = None
    flagged: Maybe[Boolean] = None
    customizer: Maybe[Boolean] = None
    vpn: Maybe[Boolean] = None
    service: Maybe[Boolean] = None
    education: Maybe[Boolean] = None
    """Also lets more jobs wait at once."""
    special: Maybe[Boolean] = None
    undelete: Maybe[Boolean] = None
    """The user too."""
    filtered: Maybe[Boolean] = None
    """Obsolete: changes nothing."""
    reset_suspicion: Maybe[Boolean] = None
    generate_proxy_passkey: Boolean = False
    """The user too, if it is a service."""
    contact: Maybe[Comment] = None
    """The user too."""
    admin_comment: Maybe[Comment] = None


class ModifyUser(Answer):
    """What was changed."""

    new_kudos: float | None = None
    """The balance afterwards."""
    concurrency: int | None = None
    usage_multiplier: float | None = None
    worker_invited: int | None = None
    moderator: bool | None = None
    public_workers: bool | None = None
    username: str | None = None
    """The new alias."""
    monthly_kudos: int | None = None
    """Afterwards, without what roles bring."""
    trusted: bool | None = None
    flagged: bool | None = None
    customizer: bool | None = None
    vpn: bool | None = None
    service: bool | None = None
    education: bool | None = None
    special: bool | None = None
    undeleted: bool | None = None
    new_suspicion: int | None = None
    contact: str | None = None
    admin_comment: str | None = None
    proxy_passkey: str | None = None
    """16 characters, shown only once."""


class UserDetails(Answer):
    """A user, as public, owner or moderators may see them: hidden fields are None."""

    username: str
    """The alias, `name#id`."""
    id: int
    kudos: float
    evaluating_kudos: float | None = None
    """Moderators: kudos held back until the user is trusted."""
    concurrency: int
    """How many jobs may wait at once."""
    worker_invited: int
    moderator: bool
    kudos_details: UserKudosDetails = Field(default_factory=UserKudosDetails)
    worker_count: int
    worker_ids: list[str] | None = None
    """Owner, or everybody if the user publishes their workers."""
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
    """Whether the user registered without a login service."""
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
