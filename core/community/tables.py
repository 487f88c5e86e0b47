"""Tables of styles, collections and reports, and what is read from them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Identity, Index, Integer, SmallInteger, String, Text
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.orm import Mapped, mapped_column

from core.columns import Base, Document, Moment, RowId
from core.db import now


class StyleRow(Base):
    """A prompt template, models and parameters under a name. A user's style names are unique."""

    __tablename__ = "styles"
    __table_args__ = (
        Unique("user_id", "name_key"),
        Index("ix_styles_popular", "kind", "public", "use_count", "id"),
        Index("ix_styles_age", "kind", "public", "created_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    kind: Mapped[str] = mapped_column(String(8))
    """image or text."""
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(100))
    name_key: Mapped[str] = mapped_column(String(300), index=True)
    """The name in case-folded form."""
    info: Mapped[str | None] = mapped_column(Text)
    prompt: Mapped[str] = mapped_column(Text)
    """The template: {p} stands for the prompt, {np} for the negative prompt."""
    params: Mapped[dict[str, Any]] = mapped_column(Document)
    """Only those of the wire's parameters that were given."""
    public: Mapped[bool] = mapped_column(default=True)
    """Whether lists show it; anybody who knows its name or id may use it anyway."""
    nsfw: Mapped[bool] = mapped_column(default=False)
    shared_key_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("shared_keys.id", ondelete="SET NULL"), index=True
    )
    """The shared key that pays for users of the style; it belongs to the style's owner."""
    use_count: Mapped[int] = mapped_column(Integer, default=0)
    """A roll-up by upkeep."""
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Owned:
    """Something of a user's, as it was read with its owner's name."""

    user_id: int
    username: str

    @property
    def creator(self) -> str:
        """Its owner's alias."""
        return f"{self.username}#{self.user_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Style(_Owned):
    """A style as it was read, by the names of the columns of `StyleRow`, and whose it is."""

    id: UUID
    kind: str
    name: str
    name_key: str
    info: str | None
    prompt: str
    params: dict[str, Any]
    public: bool
    nsfw: bool
    shared_key_id: UUID | None
    use_count: int
    created_at: datetime
    account_id: int
    """Its owner's, for the reward at settlement."""


class StyleLabel(Base):
    """A tag of a style, or a model it names, in the order they were given."""

    __tablename__ = "style_labels"
    __table_args__ = (Index("ix_style_labels_what_label", "what", "label"),)

    style_id: Mapped[UUID] = mapped_column(
        ForeignKey("styles.id", ondelete="CASCADE"), primary_key=True
    )
    what: Mapped[str] = mapped_column(String(5), primary_key=True)
    """tag or model."""
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    label: Mapped[str] = mapped_column(String(255))


class StyleExample(Base):
    """A picture somewhere on the web that shows what a style does."""

    __tablename__ = "style_examples"
    __table_args__ = (Unique("style_id", "url"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    style_id: Mapped[UUID] = mapped_column(ForeignKey("styles.id", ondelete="CASCADE"))
    url: Mapped[str] = mapped_column(String(2048))
    is_primary: Mapped[bool] = mapped_column(default=False)
    """At most one of a style's is."""
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """An example as it was read, by the names of the columns of `StyleExample`."""

    id: UUID
    style_id: UUID
    url: str
    is_primary: bool
    created_at: datetime


class CollectionRow(Base):
    """Styles of one kind; a request that names the collection gets a random one of them."""

    __tablename__ = "collections"
    __table_args__ = (Unique("user_id", "name_key"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    kind: Mapped[str] = mapped_column(String(8))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(100))
    name_key: Mapped[str] = mapped_column(String(300), index=True)
    info: Mapped[str | None] = mapped_column(Text)
    public: Mapped[bool] = mapped_column(default=True)
    use_count: Mapped[int] = mapped_column(Integer, default=0)
    """A roll-up by upkeep."""
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """A collection as it was read, by the names of the columns of `CollectionRow`."""

    id: UUID
    kind: str
    user_id: int
    name: str
    name_key: str
    info: str | None
    public: bool
    use_count: int
    created_at: datetime


class CollectionStyle(Base):
    """A style in a collection."""

    __tablename__ = "collection_styles"

    collection_id: Mapped[UUID] = mapped_column(
        ForeignKey("collections.id", ondelete="CASCADE"), primary_key=True
    )
    style_id: Mapped[UUID] = mapped_column(
        ForeignKey("styles.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    position: Mapped[int] = mapped_column(SmallInteger)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member(_Owned):
    """Of a style in a collection, what names it."""

    collection_id: UUID
    id: UUID
    name: str


class ReportRow(Base):
    """A report that something shared is abuse. Moderators see it and close it."""

    __tablename__ = "reports"
    __table_args__ = (Index("ix_reports_closed_at", "closed_at", "id"),)

    id: Mapped[int] = mapped_column(RowId, Identity(), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    """The user who reports."""
    kind: Mapped[str] = mapped_column(String(16))
    subject: Mapped[str] = mapped_column(String(36))
    """The id of what is reported."""
    reason: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)
    closed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    comment: Mapped[str | None] = mapped_column(Text)
    """The note of the moderator who closed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report as it was read, by the names of the columns of `ReportRow`."""

    id: int
    user_id: int
    kind: str
    subject: str
    reason: str
    created_at: datetime
    closed_at: datetime | None
    closed_by: int | None
    comment: str | None
