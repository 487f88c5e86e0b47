"""The kudos that a request holds: placed at ask, captured at settlement, given back at its end."""

from uuid import UUID

from core.db import Writing
from core.ledger import holds
from core.queue import requests
from core.users import shared_keys


def key_of(request_id: UUID) -> str:
    """The key of the request's hold."""
    return f"request:{request_id}"


async def release(session: Writing, *request_ids: UUID) -> None:
    """Give back what is left of the requests' holds, if there are any."""
    await shared_keys.release(session, request_ids)  # before accounts are locked
    await holds.release(session, keys=[key_of(request_id) for request_id in request_ids])


async def release_if_over(session: Writing, *request_ids: UUID) -> None:
    """Give back the holds of those requests of which no job can be charged any more.

    Call it in the transaction that ended a job or cancelled: that has the request locked, so if the
    last two jobs end at once, the second sees the end of the first. For several requests call it
    once: their accounts are locked in order.
    """
    over = [request_id for request_id in request_ids if await requests.is_over(session, request_id)]
    if over:
        await release(session, *over)
