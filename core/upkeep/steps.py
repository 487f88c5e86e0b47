"""The steps of upkeep. Each is one transaction that may be run again, or twice, without harm.

A step handles at most one batch, so that its transaction stays short, and returns whether there may
be more. A step that touches several accounts locks them in order, as the ledger requires.
"""

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple
from uuid import UUID

from core.accounts import sessions, trust
from core.community import reports, styles
from core.db import Reading, Writing
from core.generation import cancel, holding, kind
from core.generation.horde import Horde
from core.kudos import monthly, settlement
from core.ledger import accounts, audit
from core.moderation import addresses, modes, problems
from core.queue import endings, lane_rows, totals, wordy
from core.queue.matching import Offer
from core.queue.tables import Outcome
from core.stats import kudos, rollup, uses
from core.stats.rollup import Made
from core.users import directory, suspicion
from core.users.tables import Role, User
from core.workers import conduct, fleet, messages, records
from core.workers.tables import Worker

BATCH = 500
SILENCE = timedelta(seconds=60)
"""Six times as long as from one sign of life to the next."""
ATTEMPTS_KEPT = timedelta(days=30)

After = Callable[[], Awaitable[None]]
"""Called after the commit."""


class Round(NamedTuple):
    """What one run of a step leaves to be done."""

    more: bool = False
    """The batch was full: the step is due again at once."""
    after: After | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A step and how often it is due."""

    name: str
    seconds: float
    run: Callable[[Writing, Horde, datetime], Awaitable[Round]]


async def abort_stale(session: Writing, horde: Horde, at: datetime) -> Round:
    """Give up attempts past their deadline, or whose worker fell silent; their jobs wait again.

    After a pause of the server's own nobody is to blame for silence: it counts from its start.
    """
    silent_since = at - SILENCE if at - horde.started_at > SILENCE else None
    stale = await endings.abort_stale(session, at=at, limit=BATCH, silent_since=silent_since)
    requests = {one.request_id for one in stale}
    await holding.release_if_over(session, *requests)
    states = await modes.read(session)
    workers = {one.worker_id for one in stale}
    await conduct.judge_drops(session, workers, raid=states.raid, at=at)
    waiting = await endings.lanes_of(session, [one.job_id for one in stale])
    return Round(len(stale) == BATCH, partial(_tell_waiting, horde, requests, waiting))


async def _tell_waiting(horde: Horde, requests: set[UUID], waiting: Counter[int]) -> None:
    for request_id in requests:
        await horde.changed(request_id, "waiting")
    for lane_id, count in waiting.items():
        await horde.jobs_wait(lane_id, count)


async def expire(session: Writing, horde: Horde, at: datetime) -> Round:
    """Delete requests whose life is over, and then their pictures."""
    gone = await cancel.expire(session, at=at, limit=BATCH)
    return Round(len(gone) == BATCH, partial(cancel.delete_pictures, horde, gone))


async def count(session: Writing, _horde: Horde, at: datetime) -> Round:
    """Add ended attempts to the sums of users, models and workers."""
    ended = await totals.take_uncounted(session, BATCH)
    await directory.touch(session, {u for one in ended for u in (one.user_id, one.owner_id)}, at=at)
    made = [
        Made(
            kind=one.kind,
            model=one.model,
            ended_at=one.ended_at,
            things=one.things,
            requester_id=one.user_id,
            owner_id=one.owner_id,
        )
        for one in ended
        if one.outcome == Outcome.DONE
    ]
    await rollup.add(session, made)
    await records.add(session, ended)
    return Round(len(ended) == BATCH)


async def pay_uptime(session: Writing, _horde: Horde, at: datetime) -> Round:
    """Pay workers for each 600 s of uptime."""
    due = await records.due_uptime(session, limit=BATCH)
    owners = await directory.by_ids(session, {row.user_id for row in due})
    await directory.touch(session, owners, at=at)
    paid = [(owner.account_id, owner.escrow_id) for owner in owners.values()]
    # At once: paying one after the other would lock them in the order of the workers.
    await accounts.lock(session, {account for pair in paid for account in pair if account})
    for row in due:
        await _pay(session, row, owners[row.user_id])
    return Round(len(due) == BATCH)


async def _pay(session: Writing, row: Worker, owner: User) -> None:
    units = (row.uptime_seconds - row.uptime_rewarded_seconds) // records.UPTIME_UNIT_SECONDS
    up_to = row.uptime_rewarded_seconds + units * records.UPTIME_UNIT_SECONDS
    offer = Offer.from_json(row.offer)
    its = kind.of(offer.kind)
    amount = 0 if owner.is_anonymous else units * its.uptime_reward(offer)
    await records.mark_paid(session, row, up_to=up_to, kudos=amount)
    await settlement.uptime(
        session,
        key=f"uptime:{row.id}:{up_to}",
        owner_account=owner.account_id,
        owner_escrow=owner.escrow_id,
        owner_trusted=owner.has(Role.TRUSTED) or its.rules.uptime_is_spendable,
        amount=amount,
    )


async def remove_lanes(session: Writing, _horde: Horde, _at: datetime) -> Round:
    """Remove lanes without jobs."""
    return Round(await lane_rows.remove_empty(session, BATCH) == BATCH)


async def sort_by_words(session: Writing, horde: Horde, at: datetime) -> Round:
    """Put jobs aside that the workers who are online refuse for their words."""
    await horde.online.refresh(session, at=at)
    await horde.counts.refresh(session, horde.lanes)
    await horde.lanes.update(session)
    refusing = [one.offer for one in horde.online.serving if one.offer.blacklist]
    if len(refusing) > wordy.MAX_OFFERS:
        refusing = random.sample(refusing, wordy.MAX_OFFERS)
    return Round(await wordy.sort(session, horde.lanes, refusing, horde.counts.jobs, at=at))


async def sweep_pictures(_session: Reading, horde: Horde, at: datetime) -> Round:
    """Delete pictures that outlived their requests."""
    before = at - timedelta(minutes=horde.settings.picture_minutes)
    return Round(after=partial(_sweep, horde, before))


async def _sweep(horde: Horde, before: datetime) -> None:
    while await horde.store.sweep(before):
        pass


async def checkpoint(session: Writing, _horde: Horde, _at: datetime) -> Round:
    """Keep summing the system accounts cheap."""
    await audit.checkpoint(session)
    return Round()


async def count_kudos(session: Writing, _horde: Horde, at: datetime) -> Round:
    """Add the ledger's entries of some minutes ago to what accounts gained and lost."""
    return Round(await kudos.count(session, at=at, limit=BATCH) == BATCH)


async def forget_sums(session: Writing, _horde: Horde, at: datetime) -> Round:
    """Delete sums of minutes, hours and days that are no longer needed."""
    return Round(await rollup.forget(session, at=at, limit=BATCH) >= BATCH)


async def forget_attempts(session: Writing, _horde: Horde, at: datetime) -> Round:
    """Delete attempts that are counted and a month old."""
    gone = await totals.delete_attempts(session, before=at - ATTEMPTS_KEPT, limit=BATCH)
    return Round(gone == BATCH)


async def forget_logins(session: Writing, _horde: Horde, at: datetime) -> Round:
    """Delete sessions, attempts to log in and codes that are over."""
    return Round(await sessions.forget(session, at=at, limit=BATCH))


async def count_styles(session: Writing, _horde: Horde, _at: datetime) -> Round:
    """Add uses of styles to their counts, and reward the styles' owners."""
    return Round(await styles.count_uses(session, limit=BATCH) == BATCH)


async def forget_messages(session: Reading, _horde: Horde, at: datetime) -> Round:
    """Delete messages to workers, reports and uses of styles that have long been over."""
    gone = [await each.forget(session, at=at, limit=BATCH) for each in (messages, reports, uses)]
    return Round(BATCH in gone)


async def pay_monthly(session: Writing, _horde: Horde, at: datetime) -> Round:
    """Grant the month that is due to users with monthly kudos."""
    return Round(await monthly.pay_due(session, at=at, limit=BATCH) == BATCH)


async def promote(session: Writing, horde: Horde, at: datetime) -> Round:
    """Trust a user who has earned enough: one user a turn."""
    threshold = horde.settings.trust_threshold * 100
    if not threshold:
        return Round()
    promoted = await trust.promote_next(session, threshold=threshold, at=at)
    return Round(promoted is not None)


async def forget_suspicions(session: Writing, _horde: Horde, at: datetime) -> Round:
    """Delete suspicions that are forgiven."""
    await suspicion.forget(session, at=at)
    return Round()


async def forget_addresses(session: Writing, _horde: Horde, at: datetime) -> Round:
    """Delete addresses that no limit needs any more, and reports that no longer count."""
    await addresses.forget(session, at=at)
    await problems.forget(session, at=at)
    await fleet.forget_addresses(session, at=at)
    return Round()


STEPS = (
    Step("abort stale attempts", 15, abort_stale),
    Step("expire requests", 30, expire),
    Step("count", 5, count),
    Step("count kudos", 60, count_kudos),
    Step("count styles", 10, count_styles),
    Step("pay uptime", 60, pay_uptime),
    Step("remove lanes", 60, remove_lanes),
    Step("sort by words", 5, sort_by_words),
    Step("sweep pictures", 600, sweep_pictures),
    Step("checkpoint", 3600, checkpoint),
    Step("forget sums", 600, forget_sums),
    Step("forget attempts", 600, forget_attempts),
    Step("forget logins", 600, forget_logins),
    Step("forget addresses", 60, forget_addresses),
    Step("pay monthly kudos", 3600, pay_monthly),
    Step("promote", 600, promote),
    Step("forget suspicions", 3600, forget_suspicions),
    Step("forget messages", 600, forget_messages),
)
