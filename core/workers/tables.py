"""Tables of workers, their teams and the messages to them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, Float, ForeignKey, Index, Integer, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.columns import Base, Document, Moment
from core.db import now


class WorkerRow(Base):
    """A worker and what it last declared. Names are unique across kinds, case-insensitively."""

    __tablename__ = "workers"
    __table_args__ = (Index("ix_workers_kind_seen_at", "kind", "seen_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    kind: Mapped[str] = mapped_column(String(8))
    name: Mapped[str] = mapped_column(String(100))
    name_key: Mapped[str] = mapped_column(String(200), unique=True)
    """The name in case-folded form."""
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)
    seen_at: Mapped[datetime] = mapped_column(Moment, default=now)
    """Last check-in; written at most every 30 s unless something changed."""
    agent: Mapped[str] = mapped_column(Text, default="unknown:0:unknown")
    threads: Mapped[int] = mapped_column(SmallInteger, default=1)
    offer: Mapped[dict[str, Any]] = mapped_column(Document)
    """What it last declared it serves (`queue.matching.Offer`)."""
    team_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("teams.id", ondelete="SET NULL"), index=True
    )
    address: Mapped[str | None] = mapped_column(String(45))
    """The address of its last check-in. Forgotten by upkeep some days later."""
    info: Mapped[str | None] = mapped_column(Text)
    maintenance: Mapped[bool] = mapped_column(default=False)
    maintenance_message: Mapped[str | None] = mapped_column(Text)
    paused: Mapped[bool] = mapped_column(default=False)
    """Set by moderators; a paused worker gets decoys and does not notice."""
    speed: Mapped[float | None] = mapped_column(Float)
    """Things a second over its last jobs, without the part that every job costs; None before the
    first. Written by upkeep."""
    paces: Mapped[dict[str, list[float]] | None] = mapped_column(Document)
    """Its paces by model and, under the empty name, at any model: seconds for any job, and seconds
    for a thing. None before the first job. Written by upkeep."""
    uptime_seconds: Mapped[int] = mapped_column(BigInteger, default=0)
    uptime_rewarded_seconds: Mapped[int] = mapped_column(BigInteger, default=0)
    """The uptime up to which rewards are paid."""
    fulfilled: Mapped[int] = mapped_column(BigInteger, default=0)
    uncompleted: Mapped[int] = mapped_column(Integer, default=0)
    things: Mapped[int] = mapped_column(BigInteger, default=0)
    kudos_generated: Mapped[int] = mapped_column(BigInteger, default=0)
    kudos_uptime: Mapped[int] = mapped_column(BigInteger, default=0)
    """Roll-ups by upkeep, kudos in hundredths; shown, never paid from."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker as it was read, by the names of the columns of `WorkerRow`."""

    id: UUID
    kind: str
    name: str
    name_key: str
    user_id: int
    created_at: datetime
    seen_at: datetime
    agent: str
    threads: int
    offer: dict[str, Any]
    team_id: UUID | None
    address: str | None
    info: str | None
    maintenance: bool
    maintenance_message: str | None
    paused: bool
    speed: float | None
    paces: dict[str, list[float]] | None
    uptime_seconds: int
    uptime_rewarded_seconds: int
    fulfilled: int
    uncompleted: int
    things: int
    kudos_generated: int
    kudos_uptime: int


class TeamRow(Base):
    """Workers whose work is counted together. Names are unique, case-insensitively."""

    __tablename__ = "teams"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str] = mapped_column(String(100))
    name_key: Mapped[str] = mapped_column(String(300), unique=True)
    """The name in case-folded form."""
    info: Mapped[str | None] = mapped_column(Text)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    """Who created it and may change it."""
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)
    fulfilled: Mapped[int] = mapped_column(BigInteger, default=0)
    kudos: Mapped[int] = mapped_column(BigInteger, default=0)
    uptime_seconds: Mapped[int] = mapped_column(BigInteger, default=0)
    """Roll-ups by upkeep of what members did while they were members, kudos in hundredths."""


@dataclass(frozen=True, slots=True)
class Team:
    """A team as it was read, by the names of the columns of `TeamRow`."""

    id: UUID
    name: str
    name_key: str
    info: str | None
    user_id: int
    created_at: datetime
    fulfilled: int
    kudos: int
    uptime_seconds: int


class MessageRow(Base):
    """A message that a worker gets with its pops until it expires."""

    __tablename__ = "worker_messages"
    __table_args__ = (Index("ix_worker_messages_worker_id_expires_at", "worker_id", "expires_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    worker_id: Mapped[UUID | None] = mapped_column(ForeignKey("workers.id", ondelete="CASCADE"))
    """None: to all workers."""
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    """Who wrote it."""
    message: Mapped[str] = mapped_column(Text)
    origin: Mapped[str | None] = mapped_column(String(255))
    """In whose name, as the author puts it."""
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it was read, by the names of the columns of `MessageRow`."""

    id: UUID
    worker_id: UUID | None
    user_id: int
    message: str
    origin: str | None
    created_at: datetime
    expires_at: datetime
