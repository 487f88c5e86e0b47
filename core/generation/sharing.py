"""Shared keys on a request's way: its limits, its part of the budget, its charges.

In everything else the request is the owner's. What it may cost is reserved in the key's budget at
ask, each charge is taken from there in the transaction that settles it, and the rest is given back
together with the owner's kudos. Keys are locked before accounts.
"""

from typing import Any
from uuid import UUID

from core.db import Writing
from core.generation.specs import Quote, Requester, RequestSpec
from core.kinds import registry
from core.users import shared_keys
from core.users.shared_keys import TERM, Standing


def check(requester: Requester, wanted: RequestSpec[Any]) -> None:
    """Raise BeyondSharedKey if the request is larger than its shared key allows.

    A key that came with the style allows what the style says: both are its owner's.
    """
    if requester.shared_key is None:
        return
    if wanted.style is not None and wanted.style.shared_key_id == requester.shared_key.id:
        return
    sizes = registry.of(wanted.kind).sizes(wanted.params)
    shared_keys.check_size(requester.shared_key, **sizes)


async def reserve(
    session: Writing,
    requester: Requester,
    wanted: RequestSpec[Any],
    quoted: Quote,
    request_id: UUID,
) -> Standing:
    """Reserve what the request may cost, and take its tax. Raises SharedKeyInsufficientKudos."""
    if requester.shared_key is None:
        return Standing.OWNER
    standing = await shared_keys.reserve(
        session,
        requester.shared_key.id,
        request_id,
        quoted.total,
        allow_downgrade=wanted.allow_downgrade,
    )
    await shared_keys.consume(session, request_id, quoted.tax)
    return standing


def terms(requester: Requester) -> dict[str, str]:
    """The part of the request's terms about its shared key."""
    return {} if requester.shared_key is None else {TERM: str(requester.shared_key.id)}


async def release(session: Writing, agreed: dict[str, Any], request_id: UUID) -> None:
    """Give back what the finished request has reserved of its shared key, if it has one."""
    if TERM in agreed:
        await shared_keys.release(session, [request_id])


async def consume(session: Writing, agreed: dict[str, Any], request_id: UUID, charge: int) -> None:
    """Take a charge from the budget of the request's shared key, where its terms name one."""
    if TERM in agreed:
        await shared_keys.consume(session, request_id, charge)
