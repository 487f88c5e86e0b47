"""Jobs: added before the horde is asked, so that a crash in between loses none unseen."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import now, table
from bot.store.tables import JobRow

_JOBS: Final = table(JobRow)
_COLUMNS: Final = [column for column in _JOBS.c if column.name != "created"]


class JobState(StrEnum):
    """Where a job is."""

    ASKING = "asking"
    """The horde is being asked: after a crash nobody knows whether it was."""
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


MAX_LOOKED_AT: Final = 100
"""Of a user's jobs, for their prompts."""
OPEN: Final = (JobState.ASKING, JobState.RUNNING)


@dataclass(frozen=True)
class Job:
    """One row of `jobs`."""

    id: int
    interaction_id: int
    kind: str
    state: str
    request_id: str | None
    user_id: int
    guild_id: int | None
    channel_id: int
    message_id: int | None
    token: str
    token_until: datetime
    size_limit: int
    wanted: dict[str, Any]
    results: list[dict[str, Any]] = field(default_factory=list)
    spoiler: bool = False
    party_id: int | None = None


async def add(connection: AsyncConnection, job: Job) -> int | None:
    """Store a new job. Returns its id, or None if this interaction has one already."""
    values = {name: value for name, value in vars(job).items() if name != "id"}
    try:
        result = await connection.execute(insert(_JOBS).values(**values, created=now()))
    except IntegrityError:
        return None
    return int(result.inserted_primary_key[0])  # type: ignore[index]


async def change(connection: AsyncConnection, job_id: int, **values: Any) -> None:  # noqa: ANN401
    """Change columns of a job."""
    await connection.execute(update(_JOBS).where(_JOBS.c.id == job_id).values(**values))


async def get(connection: AsyncConnection, job_id: int) -> Job | None:
    """A job by its id."""
    return await _one(connection, _JOBS.c.id == job_id)


async def of_message(connection: AsyncConnection, message_id: int) -> Job | None:
    """The job whose results a message has."""
    return await _one(connection, _JOBS.c.message_id == message_id)


async def unfinished(connection: AsyncConnection) -> Sequence[Job]:
    """Jobs that somebody still waits for."""
    found = await connection.execute(select(*_COLUMNS).where(_JOBS.c.state.in_(OPEN)))
    return [Job(**row._mapping) for row in found]  # noqa: SLF001 - SQLAlchemy's public name


async def running(connection: AsyncConnection, user_id: int) -> int:
    """How many jobs of a user are running."""
    mine = (_JOBS.c.user_id == user_id) & _JOBS.c.state.in_(OPEN)
    return await connection.scalar(select(func.count()).where(mine)) or 0


async def since(connection: AsyncConnection, user_id: int, guild_id: int | None) -> int:
    """How many jobs a user asked for in the last hour, in one guild."""
    mine = (_JOBS.c.user_id == user_id) & (_JOBS.c.created > now() - timedelta(hours=1))
    here = mine & (_JOBS.c.guild_id == guild_id)
    return await connection.scalar(select(func.count()).where(here)) or 0


async def with_prompts(connection: AsyncConnection, user_id: int, count: int) -> Sequence[Job]:
    """The last jobs of a user, newest first: of each prompt the last one."""
    is_mine = (_JOBS.c.user_id == user_id) & (_JOBS.c.kind != "alchemy")
    mine = select(*_COLUMNS).where(is_mine)
    found = await connection.execute(mine.order_by(_JOBS.c.id.desc()).limit(MAX_LOOKED_AT))
    last: dict[str, Job] = {}
    for row in found:
        if prompt := row.wanted.get("prompt"):
            last.setdefault(prompt, Job(**row._mapping))  # noqa: SLF001
    return list(last.values())[:count]


async def forget(connection: AsyncConnection, before: datetime) -> int:
    """Delete jobs that ended and are older. Returns how many."""
    old = (_JOBS.c.created < before) & _JOBS.c.state.not_in(OPEN)
    return (await connection.execute(delete(_JOBS).where(old))).rowcount


async def _one(connection: AsyncConnection, where: Any) -> Job | None:  # noqa: ANN401 - a condition
    row = (await connection.execute(select(*_COLUMNS).where(where))).first()
    return None if row is None else Job(**row._mapping)  # noqa: SLF001
