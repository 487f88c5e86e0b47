"""All workers of an owner: which they are; what happens when the owner is trusted, or gone."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import delete, select, update

from core.db import Reading, Writing, table
from core.workers.tables import Worker

_workers = table(Worker)


async def ids(session: Reading, user_ids: Collection[int]) -> Mapping[int, list[UUID]]:
    """The ids of these users' workers by user, each one's oldest first."""
    found: dict[int, list[UUID]] = defaultdict(list)
    rows = await session.execute(
        select(_workers.c.user_id, _workers.c.id)
        .where(_workers.c.user_id.in_(user_ids))
        .order_by(_workers.c.created_at, _workers.c.id)
    )
    for row in rows:
        found[row.user_id].append(row.id)
    return found


async def resume(session: Writing, user_id: int) -> None:
    """Let the user's workers get real jobs again."""
    await session.execute(
        update(_workers)
        .where(_workers.c.user_id == user_id, _workers.c.paused)
        .values(paused=False)
    )


async def remove(session: Writing, user_id: int) -> None:
    """Delete the user's workers. What they made stays in the sums."""
    await session.execute(delete(_workers).where(_workers.c.user_id == user_id))
