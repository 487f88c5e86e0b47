"""Reports by workers of pictures that show abuse of children, counted so that moderators look.

A report is kept for a day. A requester who causes many in an hour or a day is logged once, as an
event with the user, or the address of an anonymous one, and never a prompt.
"""

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import delete, func, insert, select

from core.db import Writing, table
from core.moderation import addresses
from core.moderation.tables import ProblemJob

NOTICED_AFTER = {"hour": (timedelta(hours=1), 50), "day": (timedelta(days=1), 200)}
"""More reports than this within the time are logged."""
KEPT = timedelta(days=1)

_log = structlog.get_logger(__name__)
_problems = table(ProblemJob)


async def report(
    session: Writing,
    *,
    attempt_id: UUID,
    worker_id: UUID,
    user_id: int,
    is_anonymous: bool,
    proxied_account: str | None,
    address: str | None,
    at: datetime,
) -> None:
    """Record a report, and log it if it is one too many.

    Reports are counted by registered user, by account for services, and by address for the
    anonymous user. address: where the request came from, if known.
    """
    network = str(addresses.network_of(address)) if address else None
    await session.execute(
        insert(_problems).values(
            attempt_id=attempt_id,
            worker_id=worker_id,
            user_id=user_id,
            proxied_account=proxied_account,
            network=network,
            at=at,
        )
    )
    if not is_anonymous or proxied_account is not None:
        who = [
            _problems.c.user_id == user_id,
            _problems.c.proxied_account.is_not_distinct_from(proxied_account),
        ]
    else:
        who = [_problems.c.user_id == user_id, _problems.c.network.is_not_distinct_from(network)]
    for period, (length, most) in NOTICED_AFTER.items():
        since = (
            select(func.count()).select_from(_problems).where(*who, _problems.c.at > at - length)
        )
        count = await session.scalar(since)
        if count == most + 1:
            _log.warning(
                "many problem jobs",
                period=period,
                count=count,
                user_id=user_id,
                proxied_account=proxied_account,
                network=network if is_anonymous else None,
            )


async def forget(session: Writing, *, at: datetime) -> None:
    """Delete reports that no longer count."""
    await session.execute(delete(_problems).where(_problems.c.at <= at - KEPT))
