"""Tables of moderation, and what is read from them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    String,
    Text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.columns import Base, Moment
from core.db import now


class FilterRow(Base):
    """A regular expression that prompts are searched for."""

    __tablename__ = "filters"

    id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    regex: Mapped[str] = mapped_column(Text)
    filter_type: Mapped[int] = mapped_column(SmallInteger, index=True)
    """10 … 29; `core.moderation.prompts` says what each means."""
    description: Mapped[str | None] = mapped_column(Text)
    replacement: Mapped[str] = mapped_column(Text, default="")
    """What replaces the match in a rewritten prompt."""
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    """The moderator who wrote it; None for those that ship."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A filter as it was read, by the names of the columns of `FilterRow`."""

    id: int
    regex: str
    filter_type: int
    description: str | None
    replacement: str
    user_id: int | None


class FilterVersion(Base):
    """One row: a number that grows with every change of the filters; 0 until there are any."""

    __tablename__ = "filter_version"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, default=1)
    version: Mapped[int] = mapped_column(BigInteger, default=0)


class HordeModes(Base):
    """One row: the states that the whole horde can be in."""

    __tablename__ = "modes"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, default=1)
    maintenance: Mapped[bool] = mapped_column(default=False)
    invite_only: Mapped[bool] = mapped_column(default=False)
    raid: Mapped[bool] = mapped_column(default=False)
    anonymous: Mapped[bool] = mapped_column(default=True)


class AddressTimeoutRow(Base):
    """A network that is kept out until a time. Deleted by upkeep when it is no longer needed."""

    __tablename__ = "address_timeouts"

    network: Mapped[str] = mapped_column(String(43), primary_key=True)
    """As `core.moderation.addresses` writes it: `192.0.2.1/32`, `2001:db8::/64`."""
    until: Mapped[datetime] = mapped_column(Moment, index=True)
    is_block: Mapped[bool] = mapped_column(default=False)
    """Whether a moderator blocked it as a range, or a worker's address."""
    offences: Mapped[int] = mapped_column(SmallInteger, default=0)
    """Refused prompts, each within 24 hours of the one before."""
    offended_at: Mapped[datetime | None] = mapped_column(Moment)
    """When the last of them was refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressTimeout:
    """A timeout as it was read, by the names of the columns of `AddressTimeoutRow`."""

    network: str
    until: datetime
    is_block: bool
    offences: int
    offended_at: datetime | None


class ProblemJob(Base):
    """A picture that a worker reported as showing abuse of children. Kept for a day, to count."""

    __tablename__ = "problem_jobs"
    __table_args__ = (
        Index("ix_problem_jobs_user_id_proxied_account_at", "user_id", "proxied_account", "at"),
        Index("ix_problem_jobs_network_at", "network", "at"),
    )

    attempt_id: Mapped[UUID] = mapped_column(primary_key=True)
    """The job whose picture it was."""
    worker_id: Mapped[UUID] = mapped_column()
    user_id: Mapped[int] = mapped_column(Integer)
    """Who asked for it."""
    proxied_account: Mapped[str | None] = mapped_column(String(255))
    """On whose behalf, if a service asked."""
    network: Mapped[str | None] = mapped_column(String(43))
    """The address it was asked from."""
    at: Mapped[datetime] = mapped_column(Moment, default=now, index=True)
