"""Webhooks: what the requester's server is told of each finished job, as a letter in the outbox."""

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from core.generation.delivery import Amounts, Delivery, Open
from core.generation.horde import Horde
from core.kinds import alchemy
from core.outbox import letters

UPLOADED = "R2"
"""What stands for a picture that was uploaded."""


async def tell(
    session: AsyncSession,
    horde: Horde,
    found: Open,
    delivery: Delivery,
    amounts: Amounts,
    *,
    at: datetime,
) -> None:
    """Have the delivery told to the request's webhook, if it has one."""
    attempt = found.attempt
    if attempt.webhook is None:
        return
    body = {
        "id": str(attempt.id),
        "request": str(attempt.request_id),
        "worker_id": str(found.worker.id),
        "worker_name": found.worker.name,
        "kudos": amounts.charge / 100,
        **_RESULTS[attempt.kind](horde, found, delivery),
    }
    await letters.put(session, user_id=attempt.user_id, url=attempt.webhook, body=body, at=at)


def _image(horde: Horde, found: Open, delivery: Delivery) -> dict[str, Any]:
    """The picture is always a link: receivers read JSON, and a letter stays small."""
    return {
        "img": horde.store.download_url(found.picture),
        "seed": delivery.seed,
        "model": found.attempt.model,
        "censored": delivery.is_censored,
        "gen_metadata": delivery.metadata,
    }


def _text(_horde: Horde, found: Open, delivery: Delivery) -> dict[str, Any]:
    return {
        "text": delivery.text,
        "seed": delivery.seed,
        "model": found.attempt.model,
        "state": delivery.text_state,
        "gen_metadata": delivery.metadata,
    }


def _form(horde: Horde, found: Open, delivery: Delivery) -> dict[str, Any]:
    result = {
        name: horde.store.download_url(found.picture) if value == UPLOADED else value
        for name, value in (delivery.form or {}).items()
    }
    form = alchemy.form_of(found.attempt.feature or "")
    return {"form": form, "state": "done", "result": result}


_RESULTS = {"image": _image, "text": _text, "alchemy": _form}
