"""Pictures that workers report as showing abuse of children: counted, so that moderators look.

A report is kept for a day. Who causes many of them in an hour or a day is told once, as an event of
the log that names the user, or the address of somebody anonymous, and never a prompt.
"""

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import delete, func, insert, select

from core.db import Writing, table
from core.moderation import addresses
from core.moderation.tables import ProblemJob

NOTICED_AFTER = {"hour": (timedelta(hours=1), 50), "day": (timedelta(days=1), 200)}
"""More reports than this within the time are told."""
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
    """Take a report down, and tell the log where it is one too many.

    A registered user is counted, each account that a service asks for by itself; of the anonymous
    user, each address. address: where the request came from, as far as it is known.
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
    """Delete reports that count for nothing any more."""
    await session.execute(delete(_problems).where(_problems.c.at <= at - KEPT))
