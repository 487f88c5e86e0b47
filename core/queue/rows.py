"""Requests, jobs and attempts as they are read, by the names of their columns in the tables."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A row of `requests`."""

    id: UUID
    kind: str
    user_id: int
    client_agent: str
    created_at: datetime
    expires_at: datetime
    faulted_at: datetime | None
    cancelled_at: datetime | None
    n: int
    prompt: str
    words: str
    params: dict[str, Any]
    needs: dict[str, Any]
    terms: dict[str, Any]
    proxied_account: str | None
    webhook: str | None
    address: str | None
    shared: bool
    client_key: str | None
    body_digest: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A row of `attempts`, with what settlement and answer need of its job and its request."""

    id: UUID
    kind: str
    job_id: int | None
    """None for a decoy, as is all that is of the job."""
    request_id: UUID
    worker_id: UUID
    user_id: int
    owner_id: int
    model: str
    things: int
    started_at: datetime
    deadline: datetime
    heard_at: datetime | None
    ended_at: datetime | None
    outcome: int
    reward: int
    charge: int
    team_id: UUID | None
    reason: str | None
    counted: bool
    number: int | None
    lane_id: int | None
    feature: str | None
    faults: int | None
    prompt: str
    params: dict[str, Any]
    needs: dict[str, Any]
    terms: dict[str, Any]
    expires_at: datetime
    proxied_account: str | None
    webhook: str | None
    shared: bool
    address: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AtWork:
    """Of an attempt, what is told while it goes on."""

    id: UUID
    kind: str
    request_id: UUID
    owner_id: int
    outcome: int
    heard_at: datetime | None
    number: int | None
    params: dict[str, Any]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class RunningAttempt:
    """Of an attempt that goes on, what says when it will end."""

    worker_id: UUID
    request_id: UUID
    kind: str
    model: str
    things: int
    started_at: datetime


@dataclass(frozen=True, slots=True)
class EndedAttempt:
    """Of an attempt that ended, what the sums are made of."""

    kind: str
    worker_id: UUID
    user_id: int
    owner_id: int
    model: str
    things: int
    ended_at: datetime
    outcome: int
    reward: int
    team_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleAttempt:
    """An attempt that was given up."""

    job_id: int
    request_id: UUID
    worker_id: UUID


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job that is the caller's now."""

    id: int
    request_id: UUID
    number: int
    seed: int
    things: int
    feature: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingJob:
    """A job that waits, where nothing else of it matters."""

    id: int
    request_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class JobProgress:
    """A job, and how its attempts went."""

    number: int
    state: int
    feature: str | None
    faults: int
    worker_id: UUID | None
    """The worker of the last attempt that did not fail."""
    reason: str | None
    """Why the last of those that failed did, in the worker's words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A job that workers failed at, once or more."""

    number: int
    tries: int
    reason: str | None
    """Why the last try failed, in the worker's words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveRequest:
    """A request that has not expired, finished or not."""

    id: UUID
    kind: str
