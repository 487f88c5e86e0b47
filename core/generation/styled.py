"""Styles on a request's way: what is agreed at ask, and what is recorded when it has a result."""

from datetime import datetime
from typing import Any
from uuid import UUID

from core.db import Writing
from core.generation.specs import RequestSpec
from core.queue.rows import Attempt
from core.stats import uses
from core.users.tables import User

STYLE = "style"
"""The name of the style in a request's terms."""


def terms(user: User, wanted: RequestSpec[Any]) -> dict[str, Any]:
    """The part of the request's terms about its style. Nobody is rewarded for their own style."""
    style = wanted.style
    if style is None:
        return {}
    is_own = style.owner_id == user.id
    return {
        STYLE: {
            "style_id": str(style.style_id),
            "collection_id": str(style.collection_id) if style.collection_id else None,
            "account_id": None if is_own else style.account_id,
        }
    }


async def used(session: Writing, attempt: Attempt, *, at: datetime) -> None:
    """Record that the request's style was used, if its terms name one."""
    agreed = attempt.terms.get(STYLE)
    if agreed is None:
        return
    ids = {key: UUID(agreed[key]) if agreed[key] else None for key in ("style_id", "collection_id")}
    await uses.add(session, attempt.request_id, {**agreed, **ids}, at=at)
