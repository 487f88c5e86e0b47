"""Tables of shared pictures and their ratings, and what is read from them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.columns import Base, Document, Moment
from core.db import now


class SharedPictureRow(Base):
    """A picture of the data set. Its id is that of the generation and names it in the store."""

    __tablename__ = "shared_pictures"
    __table_args__ = (
        Index("ix_shared_pictures_rated", "rating_count", "id"),
        Index("ix_shared_pictures_model_rated", "model", "rating_count", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    request_id: Mapped[UUID] = mapped_column(index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    """Who asked for it, and may remove it."""
    model: Mapped[str] = mapped_column(String(255))
    prompt: Mapped[str] = mapped_column(Text)
    params: Mapped[dict[str, Any]] = mapped_column(Document)
    """The parameters that others may know: no source pictures."""
    seed: Mapped[int] = mapped_column(BigInteger)
    nsfw: Mapped[bool] = mapped_column(default=False)
    """Whether the request allowed pictures unsafe for work."""
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)
    rating_count: Mapped[int] = mapped_column(Integer, default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedPicture:
    """A shared picture as it was read, by the names of the columns of `SharedPictureRow`."""

    id: UUID
    request_id: UUID
    user_id: int
    model: str
    prompt: str
    params: dict[str, Any]
    seed: int
    nsfw: bool
    created_at: datetime
    rating_count: int


class Rating(Base):
    """One user's rating of one picture."""

    __tablename__ = "ratings"
    __table_args__ = (
        CheckConstraint("rating BETWEEN 1 AND 10", name="rating_in_range"),
        CheckConstraint("artifacts BETWEEN 0 AND 5", name="artifacts_in_range"),
        CheckConstraint("rating IS NOT NULL OR best", name="says_something"),
    )

    picture_id: Mapped[UUID] = mapped_column(
        ForeignKey("shared_pictures.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True, index=True)
    rating: Mapped[int | None] = mapped_column(SmallInteger)
    """1 … 10, how much the picture is liked."""
    artifacts: Mapped[int | None] = mapped_column(SmallInteger)
    """0 … 5, from flawless to garbage."""
    best: Mapped[bool] = mapped_column(default=False)
    """Whether it was called the best of its request."""
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)
