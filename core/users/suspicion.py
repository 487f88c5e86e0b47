"""Suspicion: what users and their workers did that hardly happens by chance, and its forgiving.

Each reason counts once, except for the few that count each time. Each is forgiven with time, one
count after another, so that one row for each reason says everything.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select

from core import dialects
from core.db import Reading, Writing, table
from core.users.tables import ANONYMOUS_ID, Reason, Role, Suspicion, User

SUSPICIOUS: Final = 5
"""From this count on, a user can neither give nor get kudos, and a worker is to be paused."""
FORGIVEN_AFTER: Final = timedelta(days=7)
"""How long until a reason counts one less; it starts over each time the reason is given."""
MAX_COUNT: Final = 10
"""A reason counts at most this often, so that all of it is forgiven in time."""
REPEATING: Final = frozenset(
    {Reason.UNREASONABLY_FAST, Reason.TOO_MANY_JOBS_ABORTED, Reason.RESULT_TOO_SMALL}
)
"""Reasons that count each time."""
NO_WORKER: Final = UUID(int=0)

_suspicions = table(Suspicion)


async def suspect(
    session: Writing,
    user_id: int,
    reason: Reason,
    *,
    at: datetime,
    worker_id: UUID | None = None,
) -> int:
    """Record that a user, or the user's worker, gave a reason for suspicion.

    Returns how many suspicions the worker now has, or the user if no worker is named. The anonymous
    user, shared by everybody, has none.
    """
    if user_id == ANONYMOUS_ID:
        return 0
    key = {"user_id": user_id, "worker_id": worker_id or NO_WORKER, "reason": int(reason)}
    await session.execute(
        dialects.insert(session, _suspicions)
        .values(**key, times=0, at=at)
        .on_conflict_do_nothing(index_elements=list(key))
    )
    one = [_suspicions.c[name] == value for name, value in key.items()]
    row = (await session.execute(select(_suspicions).where(*one).with_for_update())).one()
    stands = min(MAX_COUNT, _left(row.times, row.at, at) + 1) if reason in REPEATING else 1
    await session.execute(_suspicions.update().where(*one).values(times=stands, at=at))
    if worker_id is not None:
        return await count_of_worker(session, worker_id, user_id=user_id, at=at)
    return await count(session, user_id, at=at)


async def count(session: Reading, user_id: int, *, at: datetime) -> int:
    """How many suspicions stand against the user and the user's workers."""
    return (await counts(session, [user_id], at=at)).get(user_id, 0)


async def counts(session: Reading, user_ids: Collection[int], *, at: datetime) -> dict[int, int]:
    """The same for several users; users without suspicions are left out."""
    found: dict[int, int] = {}
    rows = await session.execute(select(_suspicions).where(_suspicions.c.user_id.in_(user_ids)))
    for row in rows:
        if left := _left(row.times, row.at, at):
            found[row.user_id] = found.get(row.user_id, 0) + left
    return found


async def count_of_worker(session: Reading, worker_id: UUID, *, user_id: int, at: datetime) -> int:
    """How many suspicions stand against the worker of this user."""
    rows = await session.execute(
        select(_suspicions).where(
            _suspicions.c.user_id == user_id, _suspicions.c.worker_id == worker_id
        )
    )
    return sum(_left(row.times, row.at, at) for row in rows)


async def counts_of_workers(
    session: Reading, worker_ids: Collection[UUID], *, at: datetime
) -> dict[UUID, int]:
    """How many suspicions stand against each of these workers; workers without are left out."""
    found: dict[UUID, int] = {}
    rows = await session.execute(select(_suspicions).where(_suspicions.c.worker_id.in_(worker_ids)))
    for row in rows:
        if left := _left(row.times, row.at, at):
            found[row.worker_id] = found.get(row.worker_id, 0) + left
    return found


async def is_suspicious(session: Reading, user: User, *, at: datetime) -> bool:
    """Whether the user is kept from moving kudos; trusted users never are."""
    return not user.has(Role.TRUSTED) and await count(session, user.id, at=at) >= SUSPICIOUS


async def reset(session: Writing, user_id: int) -> None:
    """Forgive the user and the user's workers everything."""
    await session.execute(delete(_suspicions).where(_suspicions.c.user_id == user_id))


async def forget(session: Writing, *, at: datetime) -> None:
    """Delete what is completely forgiven."""
    await session.execute(
        delete(_suspicions).where(_suspicions.c.at < at - MAX_COUNT * FORGIVEN_AFTER)
    )


def _left(times: int, since: datetime, at: datetime) -> int:
    forgiven = max(0, (at - since) // FORGIVEN_AFTER)
    return max(0, times - forgiven)
