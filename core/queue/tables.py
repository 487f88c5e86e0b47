"""Tables of the queue.

A *request* is what a user asks; each of its n results is a *job*; each try of a worker at a job is
an *attempt*, and its result is a *generation*. Jobs with the same matching needs share a *lane*.

Locks are taken in the order attempt, job, request. Nobody waits for a job that waits (locked ones
are skipped) or for a second request out of order: so the queue's own transactions can't deadlock.
Ending or cancelling a job locks its request, so that of the last two jobs the second sees the
first.
"""

from datetime import datetime
from enum import IntEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    String,
    Text,
    literal_column,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.columns import Base, Document, Moment, RowId
from core.db import now

MAX_REASON_CHARS = 500


class JobState(IntEnum):
    """WAITING → PROCESSING → DONE | FAULTED; a waiting job may be CANCELLED or EXPIRED instead."""

    WAITING = 0
    PROCESSING = 1
    DONE = 2
    FAULTED = 3
    CANCELLED = 4
    EXPIRED = 5


WAITING = literal_column(str(int(JobState.WAITING)), SmallInteger)
"""JobState.WAITING as a literal. PostgreSQL plans prepared statements without their
parameters, and if the state is one, it cannot use the indexes that only hold waiting jobs.
"""


class Outcome(IntEnum):
    """How an attempt ended. At most one attempt of a job is ALIVE."""

    ALIVE = 0
    DONE = 1
    FAULTED = 2
    """The worker said that it could not."""
    ABORTED = 3
    """Nothing came before the deadline."""
    DECOY = 4
    """A fake job for a paused worker: it claims no job and settles nothing."""


ALIVE = literal_column(str(int(Outcome.ALIVE)), SmallInteger)
"""Outcome.ALIVE as a literal, for the index of running attempts."""


class RequestRow(Base):
    """What a user asks; elsewhere called a waiting prompt. Its id is the client's secret."""

    __tablename__ = "requests"
    __table_args__ = (
        Index(
            "ix_requests_client_key",
            "user_id",
            "client_key",
            unique=True,
            postgresql_where=text("client_key IS NOT NULL"),
            sqlite_where=text("client_key IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    kind: Mapped[str] = mapped_column(String(8))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    client_agent: Mapped[str] = mapped_column(String(255), default="unknown:0:unknown")
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)
    faulted_at: Mapped[datetime | None] = mapped_column(Moment)
    cancelled_at: Mapped[datetime | None] = mapped_column(Moment)
    n: Mapped[int] = mapped_column(SmallInteger)
    prompt: Mapped[str] = mapped_column(Text)
    words: Mapped[str] = mapped_column(Text, default="")
    """The prompt in lower case, for workers' blacklists: no database folds all cases."""
    params: Mapped[dict[str, Any]] = mapped_column(Document)
    """The kind's parameters as `core.kinds` makes them, effective defaults filled in."""
    needs: Mapped[dict[str, Any]] = mapped_column(Document)
    """Exact matching needs (`queue.matching.Needs`)."""
    terms: Mapped[dict[str, Any]] = mapped_column(Document)
    """The agreement on kudos; written and read by `core.generation`, opaque here."""
    proxied_account: Mapped[str | None] = mapped_column(String(255))
    """The account that a service asks for, in its own words."""
    webhook: Mapped[str | None] = mapped_column(String(1024))
    """The URL to which each result is announced."""
    address: Mapped[str | None] = mapped_column(String(45))
    """The address of the anonymous user; None for requests of others."""
    shared: Mapped[bool] = mapped_column(default=False)
    """Whether pictures are kept for the public data set."""
    client_key: Mapped[str | None] = mapped_column(String(64))
    """Digest of the Idempotency-Key that the client sent, if it did; see `queue.repeats`."""
    body_digest: Mapped[str | None] = mapped_column(String(64))
    """Digest of what it sent with the key."""


class Job(Base):
    """One result of a request: one picture, one text, one form."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index(
            "ix_jobs_waiting",
            "lane_id",
            "rank",
            "id",
            postgresql_where=text("state = 0"),
            sqlite_where=text("state = 0"),
        ),
        Index(
            "ix_jobs_waiting_in_order",
            "rank",
            "id",
            "lane_id",
            postgresql_where=text("state = 0 AND lane_id > 0"),
            sqlite_where=text("state = 0 AND lane_id > 0"),
        ),
        Index(
            "ix_jobs_waiting_of_user",
            "user_id",
            "rank",
            "id",
            postgresql_where=text("state = 0"),
            sqlite_where=text("state = 0"),
        ),
        Index(
            "ix_jobs_processing",
            "lane_id",
            postgresql_where=text("state = 1"),
            sqlite_where=text("state = 1"),
        ),
        Index("ix_jobs_request_id", "request_id", "number", unique=True),
    )

    id: Mapped[int] = mapped_column(RowId, Identity(), primary_key=True)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("requests.id", ondelete="CASCADE"))
    number: Mapped[int] = mapped_column(SmallInteger)
    """0 … n-1 within the request."""
    lane_id: Mapped[int] = mapped_column(Integer)
    user_id: Mapped[int] = mapped_column(Integer)
    rank: Mapped[int] = mapped_column(BigInteger)
    """Smaller goes first. Written once: moment of creation, as kudos of ageing, less priority."""
    things: Mapped[int] = mapped_column(BigInteger)
    """Size of the work: pixel steps, tokens or forms."""
    seed: Mapped[int] = mapped_column(BigInteger)
    feature: Mapped[str | None] = mapped_column(String(64))
    """What this job alone needs of a worker, besides the request's needs: a form."""
    state: Mapped[int] = mapped_column(SmallInteger, default=JobState.WAITING)
    faults: Mapped[int] = mapped_column(SmallInteger, default=0)


class AttemptRow(Base):
    """One worker's try at a job. Its id is the wire's job id and names the picture.

    It outlives its request (which is deleted with its prompt): statistics are counted from it.
    """

    __tablename__ = "attempts"
    __table_args__ = (
        Index(
            "ix_attempts_alive",
            "deadline",
            postgresql_where=text("outcome IN (0, 4)"),
            sqlite_where=text("outcome IN (0, 4)"),
        ),
        Index(
            "ix_attempts_uncounted",
            "id",
            postgresql_where=text("NOT counted AND outcome NOT IN (0, 4)"),
            sqlite_where=text("NOT counted AND outcome NOT IN (0, 4)"),
        ),
        Index("ix_attempts_worker_id_ended_at", "worker_id", "ended_at"),
        Index("ix_attempts_ended_at", "ended_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    kind: Mapped[str] = mapped_column(String(8))
    job_id: Mapped[int | None] = mapped_column(
        ForeignKey("jobs.id", ondelete="SET NULL"), index=True
    )
    request_id: Mapped[UUID] = mapped_column(index=True)
    worker_id: Mapped[UUID] = mapped_column()
    user_id: Mapped[int] = mapped_column(Integer)
    """The requester."""
    owner_id: Mapped[int] = mapped_column(Integer)
    """The worker's owner."""
    model: Mapped[str] = mapped_column(String(255))
    things: Mapped[int] = mapped_column(BigInteger)
    started_at: Mapped[datetime] = mapped_column(Moment, default=now)
    deadline: Mapped[datetime] = mapped_column(Moment)
    heard_at: Mapped[datetime | None] = mapped_column(Moment)
    """When its worker last said that it is at it, or up to 10 s before; None where it never did."""
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    outcome: Mapped[int] = mapped_column(SmallInteger, default=Outcome.ALIVE)
    reward: Mapped[int] = mapped_column(BigInteger, default=0)
    """Hundredths of a kudos to the worker's owner; written by `core.generation`."""
    charge: Mapped[int] = mapped_column(BigInteger, default=0)
    """Hundredths of a kudos from the requester; written by `core.generation`."""
    team_id: Mapped[UUID | None] = mapped_column()
    """The worker's team when it delivered."""
    reason: Mapped[str | None] = mapped_column(String(MAX_REASON_CHARS))
    """Why the worker failed, in its words."""
    counted: Mapped[bool] = mapped_column(default=False)
    """Whether the roll-ups of `core.stats` include it."""


class Generation(Base):
    """The result of a successful attempt. Deleted with its request."""

    __tablename__ = "generations"

    attempt_id: Mapped[UUID] = mapped_column(
        ForeignKey("attempts.id", ondelete="CASCADE"), primary_key=True
    )
    request_id: Mapped[UUID] = mapped_column(
        ForeignKey("requests.id", ondelete="CASCADE"), index=True
    )
    number: Mapped[int] = mapped_column(SmallInteger)
    worker_id: Mapped[UUID] = mapped_column()
    worker_name: Mapped[str] = mapped_column(String(100))
    model: Mapped[str] = mapped_column(String(255))
    seed: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(8), default="ok")
    censored: Mapped[bool] = mapped_column(default=False)
    metadata_: Mapped[list[dict[str, Any]]] = mapped_column("gen_metadata", Document)
    text: Mapped[str | None] = mapped_column(Text)
    """The text of a text generation; a picture lies in the store, named by the attempt."""
    form: Mapped[dict[str, Any] | None] = mapped_column(Document)
    """What an alchemist found out."""


class Lane(Base):
    """Jobs with the same coarse needs; a pop matches its offer against lanes, not against jobs."""

    __tablename__ = "lanes"

    id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    """Digest of `needs`."""
    needs: Mapped[dict[str, Any]] = mapped_column(Document)
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)


class LaneVersion(Base):
    """One row: a number that grows whenever a lane is added or removed; every pop reads it."""

    __tablename__ = "lane_version"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, default=1)
    version: Mapped[int] = mapped_column(BigInteger, default=0)
    parked: Mapped[int] = mapped_column(BigInteger, default=0)
    """How often a request was parked."""
