"""All workers of one owner at once: when the owner is trusted, and when the owner is gone."""

from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import table
from core.workers.tables import Worker

_workers = table(Worker)


async def resume(session: AsyncSession, user_id: int) -> None:
    """Let the user's workers get real jobs again."""
    await session.execute(
        update(_workers).where(_workers.c.user_id == user_id, _workers.c.paused).values(paused=False)
    )


async def remove(session: AsyncSession, user_id: int) -> None:
    """Delete the user's workers. What they made stays in the sums."""
    await session.execute(delete(_workers).where(_workers.c.user_id == user_id))
