"""Webhooks: each finished job is announced to the requester's server by a letter in the outbox."""

from datetime import datetime

from core.db import Writing
from core.generation import kind
from core.generation.delivery import Amounts, Delivery, Open
from core.generation.horde import Horde
from core.outbox import letters


async def tell(
    session: Writing,
    horde: Horde,
    found: Open,
    delivery: Delivery,
    amounts: Amounts,
    *,
    at: datetime,
) -> None:
    """Send the delivery to the request's webhook, if it has one."""
    attempt = found.attempt
    if attempt.webhook is None:
        return
    body = {
        "id": str(attempt.id),
        "request": str(attempt.request_id),
        "worker_id": str(found.worker.id),
        "worker_name": found.worker.name,
        "kudos": amounts.charge / 100,
        **kind.of(attempt.kind).told(horde, found, delivery),
    }
    await letters.put(session, user_id=attempt.user_id, url=attempt.webhook, body=body, at=at)
