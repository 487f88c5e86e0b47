"""Table of messages to be sent, and what is read from it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import Index, Integer, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.columns import Base, Moment


class LetterRow(Base):
    """One message to one address; the row is deleted when it has arrived or is too old."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_host_due_at", "host", "due_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    """Sent to the receiver, who can recognise a repetition by it."""
    user_id: Mapped[int] = mapped_column(Integer)
    """The user whose key signs it."""
    url: Mapped[str] = mapped_column(String(1024))
    host: Mapped[str] = mapped_column(String(255))
    """The URL's host, in lower case: limits are counted by it."""
    body: Mapped[str] = mapped_column(Text)
    """JSON, as it is sent and signed."""
    due_at: Mapped[datetime] = mapped_column(Moment, index=True)
    """When it is due; while it is being sent, when another courier may take it over."""
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)
    tries: Mapped[int] = mapped_column(SmallInteger, default=0)
    """How often it was sent, or began to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A letter as it was read, by the names of the columns of `LetterRow`."""

    id: UUID
    user_id: int
    url: str
    host: str
    body: str
    due_at: datetime
    expires_at: datetime
    tries: int
