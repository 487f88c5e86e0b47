"""The steps of upkeep. Each is one transaction that may be run again, or twice, without harm."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.generation import cancel, holding
from core.generation.horde import Horde
from core.kudos import settlement, uptime
from core.ledger import audit
from core.queue import jobs, lanes, totals
from core.queue.matching import Offer
from core.queue.tables import Outcome
from core.stats import rollup
from core.stats.rollup import Made
from core.users import directory
from core.users.tables import Role
from core.workers import records

BATCH = 500
ATTEMPTS_KEPT = timedelta(days=30)

After = Callable[[], Awaitable[None]]
"""What is to be done after the commit."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step and how often it is due."""

    name: str
    seconds: float
    run: Callable[[AsyncSession, Horde, datetime], Awaitable[After | None]]


async def abort_stale(session: AsyncSession, horde: Horde, at: datetime) -> After | None:
    """Give up attempts past their deadline; their jobs wait again."""
    stale = await jobs.abort_stale(session, at=at, limit=BATCH)
    for request_id in sorted({row.request_id for row in stale}):
        await holding.release_if_over(session, request_id)
    return partial(_tell_waiting, horde, {row.request_id for row in stale})


async def _tell_waiting(horde: Horde, requests: set[UUID]) -> None:
    for request_id in requests:
        await horde.changed(request_id, "waiting")


async def expire(session: AsyncSession, horde: Horde, at: datetime) -> After | None:
    """Delete requests whose life is over, and then their pictures."""
    gone = await cancel.expire(session, at=at, limit=BATCH)
    return partial(cancel.delete_pictures, horde, gone)


async def count(session: AsyncSession, _horde: Horde, _at: datetime) -> After | None:
    """Add ended attempts to the sums of users, models, days and workers."""
    ended = await totals.take_uncounted(session, BATCH)
    made = [
        Made(
            kind=row.kind,
            model=row.model,
            day=row.ended_at.date(),
            things=row.things,
            requester_id=row.user_id,
            owner_id=row.owner_id,
        )
        for row in ended
        if row.outcome == Outcome.DONE
    ]
    await rollup.add(session, made)
    await records.add(session, ended)
    return None


async def pay_uptime(session: AsyncSession, _horde: Horde, _at: datetime) -> After | None:
    """Pay workers for each 600 s that they have been there."""
    due = await records.due_uptime(session, limit=BATCH)
    for row in due:
        units = (row.uptime_seconds - row.uptime_rewarded_seconds) // records.UPTIME_UNIT_SECONDS
        up_to = row.uptime_rewarded_seconds + units * records.UPTIME_UNIT_SECONDS
        owner = await directory.by_id(session, row.user_id)
        offer = Offer.from_json(row.offer)
        amount = units * uptime.image_reward(len(offer.models), lora="lora" in offer.permissions)
        await records.mark_paid(session, row.id, up_to=up_to, kudos=amount)
        await settlement.uptime(
            session,
            key=f"uptime:{row.id}:{up_to}",
            owner_account=owner.account_id,
            owner_escrow=owner.escrow_id,
            owner_trusted=owner.has(Role.TRUSTED),
            amount=amount,
        )
    return None


async def remove_lanes(session: AsyncSession, _horde: Horde, _at: datetime) -> After | None:
    """Remove lanes that nobody waits in."""
    await lanes.remove_empty(session)
    return None


async def sweep_pictures(_session: AsyncSession, horde: Horde, at: datetime) -> After | None:
    """Delete pictures that outlived their requests, whatever became of these."""
    before = at - timedelta(minutes=horde.settings.picture_minutes)
    return partial(_sweep, horde, before)


async def _sweep(horde: Horde, before: datetime) -> None:
    while await horde.store.sweep(before):
        pass


async def checkpoint(session: AsyncSession, _horde: Horde, _at: datetime) -> After | None:
    """Keep summing the system accounts cheap."""
    await audit.checkpoint(session)
    return None


async def forget_attempts(session: AsyncSession, _horde: Horde, at: datetime) -> After | None:
    """Delete attempts that are in the sums and a month old."""
    await totals.delete_attempts(session, before=at - ATTEMPTS_KEPT, limit=BATCH)
    return None


STEPS = (
    Step("abort stale attempts", 15, abort_stale),
    Step("expire requests", 30, expire),
    Step("count", 5, count),
    Step("pay uptime", 60, pay_uptime),
    Step("remove lanes", 60, remove_lanes),
    Step("sweep pictures", 600, sweep_pictures),
    Step("checkpoint", 3600, checkpoint),
    Step("forget attempts", 600, forget_attempts),
)
