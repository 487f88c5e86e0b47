"""Tables of roll-ups. All sums are eight bytes: a busy horde's tokens outgrow four in a year."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from core.columns import Base, Moment


class Span(StrEnum):
    """How long a bucket of `ModelTotal` is. Buckets begin with a minute, an hour, a day of UTC."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    EVER = "ever"


class UserTotal(Base):
    """What a user has asked for and what the user's workers have made, by kind."""

    __tablename__ = "user_totals"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    requested: Mapped[int] = mapped_column(BigInteger, default=0)
    requested_things: Mapped[int] = mapped_column(BigInteger, default=0)
    fulfilled: Mapped[int] = mapped_column(BigInteger, default=0)
    fulfilled_things: Mapped[int] = mapped_column(BigInteger, default=0)


class ModelTotal(Base):
    """What a model made within one stretch of time. Old stretches are deleted."""

    __tablename__ = "model_totals"
    __table_args__ = (Index("ix_model_totals_span_kind_start", "span", "kind", "start"),)

    span: Mapped[str] = mapped_column(String(6), primary_key=True)
    start: Mapped[datetime] = mapped_column(Moment, primary_key=True)
    """When the bucket begins; 1970 for the one bucket of EVER."""
    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    model: Mapped[str] = mapped_column(String(255), primary_key=True)
    made: Mapped[int] = mapped_column(BigInteger, default=0)
    things: Mapped[int] = mapped_column(BigInteger, default=0)


class KudosTotal(Base):
    """What an account gained and lost by each kind of ledger event, in hundredths of a kudos."""

    __tablename__ = "kudos_totals"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(24), primary_key=True)
    gained: Mapped[int] = mapped_column(BigInteger, default=0)
    lost: Mapped[int] = mapped_column(BigInteger, default=0)
    """Zero or negative."""
    gains: Mapped[int] = mapped_column(BigInteger, default=0)
    """How many entries gained something."""


class KudosCounted(Base):
    """One row: the last ledger entry that `KudosTotal` contains."""

    __tablename__ = "kudos_counted"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, default=1)
    last_entry_id: Mapped[int] = mapped_column(BigInteger, default=0)


class StyleUse(Base):
    """A request that used a style and had a result; `core.stats.uses` says why it is kept."""

    __tablename__ = "style_uses"
    __table_args__ = (
        Index(
            "ix_style_uses_uncounted",
            "at",
            postgresql_where=text("NOT counted"),
            sqlite_where=text("NOT counted"),
        ),
        Index("ix_style_uses_at", "at"),
    )

    request_id: Mapped[UUID] = mapped_column(primary_key=True)
    """It outlives the request."""
    style_id: Mapped[UUID] = mapped_column()
    collection_id: Mapped[UUID | None] = mapped_column()
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    """The account of the style's owner; None if the style was the requester's own."""
    at: Mapped[datetime] = mapped_column(Moment)
    counted: Mapped[bool] = mapped_column(default=False)
