"""What a delivery reveals about its worker and about its requester."""

from datetime import datetime

from core.db import Writing
from core.generation.delivery import Amounts, Delivery, Open
from core.moderation import problems
from core.users.tables import ANONYMOUS_ID, Reason
from core.workers import conduct


async def look_at(
    session: Writing, found: Open, delivery: Delivery, amounts: Amounts, *, at: datetime
) -> None:
    """Suspect a worker that is too fast or brings too little; record reported abuse of children."""
    attempt = found.attempt
    await conduct.judge_speed(
        session,
        found.owner,
        attempt,
        things=attempt.things if amounts.things is None else amounts.things,
        at=at,
    )
    if amounts.shortfall is not None:
        await conduct.suspect(
            session, found.owner, attempt.worker_id, Reason.RESULT_TOO_SMALL, at=at
        )
    if delivery.shows_abuse:
        await problems.report(
            session,
            attempt_id=attempt.id,
            worker_id=attempt.worker_id,
            user_id=attempt.user_id,
            is_anonymous=attempt.user_id == ANONYMOUS_ID,
            proxied_account=attempt.proxied_account,
            address=attempt.address,
            at=at,
        )
