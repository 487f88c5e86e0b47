"""A worker's attempt at a job: begun at a pop, looked up at a submit; `endings` ends it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    ColumnElement,
    Update,
    bindparam,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from core.db import Reading, Writing, table
from core.prepared import prepared
from core.queue import requests
from core.queue.claim import Claim
from core.queue.rows import Attempt, AtWork, Request
from core.queue.tables import (
    ALIVE,
    AttemptRow,
    Job,
    Outcome,
    RequestRow,
)

_requests = table(RequestRow)
_jobs = table(Job)
_attempts = table(AttemptRow)


async def start(
    session: Writing,
    claim: Claim,
    *,
    worker_id: UUID,
    owner_id: int,
    model: str,
    at: datetime,
    deadline: datetime,
    expires_at: datetime,
) -> list[UUID]:
    """Begin an attempt at each claimed job and renew the request. Returns their ids, in order."""
    ids = [uuid4() for _ in claim.jobs]
    each = [
        {"id": attempt_id, "job_id": job.id, "things": job.things}
        for attempt_id, job in zip(ids, claim.jobs, strict=True)
    ]
    shared = {
        "kind": claim.request.kind,
        "request_id": claim.request.id,
        "worker_id": worker_id,
        "user_id": claim.request.user_id,
        "owner_id": owner_id,
        "model": model,
        "started_at": at,
        "deadline": deadline,
    }
    if session.engine == "postgresql":
        lists = {f"{name}s": [one[name] for one in each] for name in each[0]}
        renewed = {"request": claim.request.id, "until": expires_at}
        its = {f"its_{name}": value for name, value in shared.items()}
        await session.execute(_START, its | lists | renewed)
        return ids
    alive = {"outcome": Outcome.ALIVE}
    await session.execute(insert(_attempts), [shared | one | alive for one in each])
    await requests.renew(session, claim.request.id, expires_at)
    return ids


def _many(name: str) -> ColumnElement[Any]:
    return bindparam(f"{name}s", type_=ARRAY(_attempts.c[name].type))


def _start() -> Update:
    """The same in one statement."""
    columns = ("id", "job_id", "things")
    each = (
        func.unnest(*(_many(name) for name in columns))
        .table_valued(*columns, name="each")
        .render_derived()
    )
    shared = (
        "kind", "request_id", "worker_id", "user_id", "owner_id", "model", "started_at", "deadline",
    )  # fmt: skip
    started = insert(_attempts).from_select(
        [*columns, *shared, "outcome", "reward", "charge", "counted"],
        select(
            *each.c,
            *(bindparam(f"its_{name}", type_=_attempts.c[name].type) for name in shared),
            ALIVE,
            literal_column("0"),
            literal_column("0"),
            literal_column("false"),
        ).select_from(each),
    )
    return requests.renewing(bindparam("request", type_=_requests.c.id.type)).add_cte(
        started.cte("started")
    )


_START = prepared(_start())


async def start_decoy(
    session: Writing,
    request: Request,
    *,
    worker_id: UUID,
    owner_id: int,
    model: str,
    at: datetime,
    deadline: datetime,
) -> UUID:
    """Begin a decoy at the request. No job is claimed, nothing is renewed."""
    attempt_id = uuid4()
    await session.execute(
        insert(_attempts).values(
            id=attempt_id,
            kind=request.kind,
            request_id=request.id,
            worker_id=worker_id,
            user_id=request.user_id,
            owner_id=owner_id,
            model=model,
            things=0,
            started_at=at,
            deadline=deadline,
            outcome=Outcome.DECOY,
        )
    )
    return attempt_id


async def end_decoy(session: Writing, attempt_id: UUID, *, at: datetime) -> bool:
    """End a decoy; it counts in no sum. Returns False if it was over already."""
    ended = await session.execute(
        update(_attempts)
        .where(_attempts.c.id == attempt_id, _attempts.c.outcome == Outcome.DECOY)
        .values(outcome=Outcome.DONE, ended_at=at, counted=True)
        .returning(_attempts.c.id)
    )
    return ended.first() is not None


async def attempt(session: Reading, attempt_id: UUID) -> Attempt | None:
    """The attempt, or None if there is none or its request is deleted."""
    row = (await session.execute(_ATTEMPT, {"id": attempt_id})).mappings().first()
    return None if row is None else Attempt(**row)


_ATTEMPT = prepared(
    select(
        _attempts,
        _jobs.c.number,
        _jobs.c.lane_id,
        _jobs.c.feature,
        _jobs.c.faults,
        _requests.c.prompt,
        _requests.c.params,
        _requests.c.needs,
        _requests.c.terms,
        _requests.c.expires_at,
        _requests.c.proxied_account,
        _requests.c.webhook,
        _requests.c.shared,
        _requests.c.address,
    )
    .join(_requests, _requests.c.id == _attempts.c.request_id)
    .join(_jobs, _jobs.c.id == _attempts.c.job_id, isouter=True)
    .where(_attempts.c.id == bindparam("id"))
)


async def is_alive(session: Reading, attempt_id: str) -> bool:
    """Whether the attempt may still deliver."""
    try:
        wanted = UUID(attempt_id)
    except ValueError:
        return False
    found = await session.scalar(_OUTCOME, {"id": wanted})
    return found in (Outcome.ALIVE, Outcome.DECOY)


_OUTCOME = prepared(select(_attempts.c.outcome).where(_attempts.c.id == bindparam("id")))


async def at_work(session: Reading, ids: Sequence[UUID]) -> list[AtWork]:
    """Those of these attempts whose requests are not deleted."""
    if not ids:
        return []
    rows = await session.execute(_AT_WORK, {"ids": list(ids)})
    return [AtWork(**row) for row in rows.mappings()]


_AT_WORK = (
    select(
        _attempts.c.id,
        _attempts.c.kind,
        _attempts.c.request_id,
        _attempts.c.owner_id,
        _attempts.c.outcome,
        _attempts.c.heard_at,
        _jobs.c.number,
        _requests.c.params,
        _requests.c.expires_at,
    )
    .join(_requests, _requests.c.id == _attempts.c.request_id)
    .join(_jobs, _jobs.c.id == _attempts.c.job_id, isouter=True)
    .where(_attempts.c.id.in_(bindparam("ids", expanding=True)))
)


async def heard(session: Writing, ids: Sequence[UUID], *, at: datetime) -> None:
    """Their worker has just said that it is at them. No deadline moves."""
    await session.execute(
        update(_attempts)
        .where(_attempts.c.id.in_(ids), _attempts.c.outcome == Outcome.ALIVE)
        .values(heard_at=at)
    )
