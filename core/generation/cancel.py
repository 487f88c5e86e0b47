"""Cancel and expire: waiting jobs end, and the rest of the hold is given back."""

from datetime import datetime
from uuid import UUID

from core.db import Writing, now
from core.generation import holding, kind
from core.generation.delivery import picture_of
from core.generation.horde import Horde
from core.queue import expiry, requests


async def cancel(session: Writing, request_id: UUID) -> None:
    """Cancel the waiting jobs. Jobs in progress go on and are charged and paid for.

    The hold is given back at once if no job is in progress, otherwise when those end.
    """
    await requests.cancel(session, request_id, at=now())
    await holding.release_if_over(session, request_id)


async def expire(session: Writing, *, at: datetime, limit: int) -> list[expiry.Expired]:
    """Delete expired requests and give back their holds. Returns their pictures."""
    gone = await expiry.delete_expired(session, at=at, limit=limit)
    await holding.release(session, *(request.request_id for request in gone))
    return gone


async def delete_pictures(horde: Horde, gone: list[expiry.Expired]) -> None:
    """Remove the pictures of deleted requests, results and sources. Call it after the commit."""
    for request in gone:
        made = [picture_of(attempt_id) for attempt_id in request.attempt_ids]
        for name in (*made, *kind.of(request.kind).rules.params_from(request.params).sources):
            await horde.store.delete(name)
