"""Tables of users. A user is a person's registration; kudos are in the ledger's accounts."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, IntFlag
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, ForeignKey, Identity, Integer, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.columns import Base, Moment
from core.db import now

ANONYMOUS_ID = 0
ANONYMOUS_KEY = "0000000000"  # public by contract: everybody may use it


class Role(IntFlag):
    """The roles of a user, stored as one number, so that one look-up brings all of them."""

    MODERATOR = 1
    TRUSTED = 2
    FLAGGED = 4
    CUSTOMIZER = 8
    VPN = 16
    SPECIAL = 32
    SERVICE = 64
    EDUCATION = 128
    DELETED = 256
    ADMIN = 512


class UserRow(Base):
    """A registration. Id 0 is the anonymous user, shared by everybody."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(Integer, Identity(start=1), primary_key=True)
    username: Mapped[str] = mapped_column(String(50))
    oauth_id: Mapped[str] = mapped_column(String(50), unique=True)
    """Who this is at a login service: `anon`, a UUID (pseudonymous) or `g_…`, `d_…`, `gh_…`."""
    key_hash: Mapped[str | None] = mapped_column(String(80), unique=True)
    """`<secret's id>:<keyed blake2b of the API key>`; the key itself is stored nowhere."""
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), unique=True)
    """The spendable account (the system account ANONYMOUS for the anonymous user)."""
    escrow_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"), unique=True)
    roles: Mapped[int] = mapped_column(Integer, default=0)
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)
    last_active_at: Mapped[datetime] = mapped_column(Moment, default=now)
    concurrency: Mapped[int] = mapped_column(Integer, default=30)
    """How many of the user's jobs may wait at once."""
    worker_invited: Mapped[int] = mapped_column(Integer, default=0)
    usage_multiplier: Mapped[float] = mapped_column(default=1.0)
    monthly_kudos: Mapped[int] = mapped_column(BigInteger, default=0)
    """Hundredths that the user is granted each month, besides what roles bring."""
    monthly_received_at: Mapped[datetime | None] = mapped_column(Moment)
    """The month that was granted last: it moves by whole calendar months, on a day that every month
    has. None: nothing yet.
    """
    public_workers: Mapped[bool] = mapped_column(default=False)
    contact: Mapped[str | None] = mapped_column(String(500))
    admin_comment: Mapped[str | None] = mapped_column(Text)
    passkey_hash: Mapped[str | None] = mapped_column(String(80), unique=True)
    """Hash of a service's passkey (`core.users.passkeys`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A registration as it was read, by the names of the columns of `UserRow`."""

    id: int
    username: str
    oauth_id: str
    key_hash: str | None
    account_id: int
    escrow_id: int | None
    roles: int
    created_at: datetime
    last_active_at: datetime
    concurrency: int
    worker_invited: int
    usage_multiplier: float
    monthly_kudos: int
    monthly_received_at: datetime | None
    public_workers: bool
    contact: str | None
    admin_comment: str | None
    passkey_hash: str | None

    @property
    def alias(self) -> str:
        """The name that is unique: `username#id`."""
        return f"{self.username}#{self.id}"

    @property
    def is_anonymous(self) -> bool:
        """Whether this is the user that everybody shares."""
        return self.id == ANONYMOUS_ID

    def has(self, role: Role) -> bool:
        """Whether the user has the role; moderators are trusted too."""
        roles = Role(self.roles)
        if role is Role.TRUSTED:
            return bool(roles & (Role.TRUSTED | Role.MODERATOR))
        return role in roles


class SharedKeyRow(Base):
    """A key that lets others ask at its owner's expense. Its id is what they send."""

    __tablename__ = "shared_keys"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    """The owner, who pays."""
    name: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)
    expires_at: Mapped[datetime | None] = mapped_column(Moment)
    """None: never."""
    budget: Mapped[int | None] = mapped_column(BigInteger)
    """Hundredths of a kudos that may still be spent; None: as much as the owner has."""
    held: Mapped[int] = mapped_column(BigInteger, default=0)
    """How much of the budget requests have reserved."""
    utilized: Mapped[int] = mapped_column(BigInteger, default=0)
    """Hundredths of a kudos that have been spent."""
    max_image_pixels: Mapped[int] = mapped_column(Integer, default=-1)
    """Width times height; here and below -1 means no limit, and 0 forbids the kind."""
    max_image_steps: Mapped[int] = mapped_column(Integer, default=-1)
    max_text_tokens: Mapped[int] = mapped_column(Integer, default=-1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedKey:
    """A shared key as it was read, by the names of the columns of `SharedKeyRow`."""

    id: UUID
    user_id: int
    name: str | None
    created_at: datetime
    expires_at: datetime | None
    budget: int | None
    held: int
    utilized: int
    max_image_pixels: int
    max_image_steps: int
    max_text_tokens: int


class SharedKeyHold(Base):
    """What a request has reserved of its shared key's budget."""

    __tablename__ = "shared_key_holds"

    request_id: Mapped[UUID] = mapped_column(primary_key=True)
    shared_key_id: Mapped[UUID] = mapped_column(
        ForeignKey("shared_keys.id", ondelete="CASCADE"), index=True
    )
    amount: Mapped[int] = mapped_column(BigInteger)
    """Hundredths of a kudos."""


class Reason(IntEnum):
    """Why somebody is under suspicion."""

    WORKER_NAME_LONG = 0
    WORKER_NAME_EXTREME = 1
    WORKER_PROFANITY = 2
    UNSAFE_IP = 3
    EXTREME_MAX_PIXELS = 4
    UNREASONABLY_FAST = 5
    USERNAME_LONG = 6
    USERNAME_PROFANITY = 7
    CORRUPT_PROMPT = 8
    TOO_MANY_JOBS_ABORTED = 9
    RESULT_TOO_SMALL = 10


class Suspicion(Base):
    """How often a user, or one of the user's workers, gave a reason for suspicion.

    One row for each of them and each reason, with a count that decays.
    """

    __tablename__ = "suspicions"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    worker_id: Mapped[UUID] = mapped_column(primary_key=True)
    """The worker that gave it; `suspicion.NO_WORKER` if the user did."""
    reason: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    times: Mapped[int] = mapped_column(SmallInteger)
    """The count at `at`; it drops by one each `suspicion.FORGIVEN_AFTER`."""
    at: Mapped[datetime] = mapped_column(Moment, index=True)
