"""Cancel and expire: what still waits ends, and what is left of the hold is given back."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.db import now
from core.generation import holding, submit
from core.generation.horde import Horde
from core.queue import jobs


async def cancel(session: AsyncSession, request_id: UUID) -> None:
    """Cancel what waits. What is being made goes on and is charged and paid for.

    The hold is given back at once where nothing is being made, else when that is over.
    """
    await jobs.cancel(session, request_id, at=now())
    await holding.release_if_over(session, request_id)


async def expire(session: AsyncSession, *, at: datetime, limit: int) -> list[jobs.Expired]:
    """Delete requests whose life is over and give back their holds. Their pictures are listed."""
    gone = await jobs.delete_expired(session, at=at, limit=limit)
    await holding.release(session, *(request.request_id for request in gone))
    return gone


async def delete_pictures(horde: Horde, gone: list[jobs.Expired]) -> None:
    """Remove the pictures of requests that are gone. After the commit."""
    for request in gone:
        for attempt_id in request.attempt_ids:
            await horde.store.delete(submit.picture_of(attempt_id))
