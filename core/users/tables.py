"""Tables of users. A user is a person's registration; kudos are in the ledger's accounts."""

from datetime import datetime
from enum import IntFlag

from sqlalchemy import BigInteger, ForeignKey, Identity, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Moment, now

ANONYMOUS_ID = 0
ANONYMOUS_KEY = "0000000000"  # public by contract: everybody may use it


class Role(IntFlag):
    """What a user may be; stored as one number, so that a key look-up brings all roles along."""

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


class User(Base):
    """A registration. Id 0 is the anonymous user, whom everybody may be."""

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
    public_workers: Mapped[bool] = mapped_column(default=False)
    contact: Mapped[str | None] = mapped_column(String(50))
    admin_comment: Mapped[str | None] = mapped_column(Text)

    @property
    def alias(self) -> str:
        """The name that is unique: `username#id`."""
        return f"{self.username}#{self.id}"

    @property
    def is_anonymous(self) -> bool:
        """Whether this is the user everybody may be."""
        return self.id == ANONYMOUS_ID

    def has(self, role: Role) -> bool:
        """Whether the user has the role; moderators are trusted too."""
        roles = Role(self.roles)
        if role is Role.TRUSTED:
            return bool(roles & (Role.TRUSTED | Role.MODERATOR))
        return role in roles
