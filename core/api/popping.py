"""The common part of all pops: the worker checks in, gets work, and may wait for it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from uuid import NAMESPACE_OID, uuid5

from core.api import callers, context, limits
from core.api.context import Server
from core.db import Reading, now
from core.generation import pop
from core.generation.pop import Popped
from core.generation.waiters import Waiter, Why
from core.moderation.scores import Verdict
from core.wire.messages import ResponseModelMessagePop
from core.workers import admission, offers
from core.workers.admission import CheckinContext
from core.workers.offers import Declared

MAX_JOBS = 20
"""The most jobs of a pop."""
TOLD_AGAIN = timedelta(hours=1)
SHARED_SECONDS = 1.0
"""Looks by the clock may use what was read for another waiter this long ago."""
INCONCLUSIVE_PAUSES = (0.01, 0.03, 0.1, 0.3)
"""Seconds after which a worker looks again whose job others had locked, for some ms mostly."""


async def popped(declared: Declared, *, amount: int, wait: float, decoys: bool = True) -> Popped:
    """Give the worker up to `amount` jobs; if there are none, wait up to so many seconds.

    A worker has at most as many waiting pops as threads; a further one is answered at once.
    decoys: whether it gets a decoy if it is paused.
    """
    server = context.server()
    verdict = await _verdict(server)
    calls = server.horde.waiters.calls

    async def again() -> Popped:
        found = await _pop(server, declared, verdict, amount=amount, decoys=decoys)
        for pause in INCONCLUSIVE_PAUSES:
            if not found.inconclusive:
                break
            await asyncio.sleep(pause)
            found = await _pop(server, declared, verdict, amount=amount, decoys=decoys)
        if not found.works:
            pop.refuse_maintenance(found.worker)
        return found

    found = await again()
    if found.works or wait <= 0:
        return found
    waiters, address = server.horde.waiters, limits.network(context.address())
    worker, claims = found.worker.offer, not found.worker.paused
    if not waiters.has_room(worker.worker_id, threads=declared.threads, address=address):
        return found
    with waiters.in_line(worker, calls=calls, claims=claims, address=address) as waiter:
        return await _wait(server, waiter, again, wait, found)


def told(found: Popped) -> list[ResponseModelMessagePop]:
    """The messages for the worker with its pop."""
    written = [
        ResponseModelMessagePop(
            id=str(row.id), message=row.message, origin=row.origin, expiry=row.expires_at
        )
        for row in found.messages
    ]
    if found.worker.left_out:
        written.append(_about_models(found.worker.left_out))
    return written


def _about_models(left_out: Sequence[str]) -> ResponseModelMessagePop:
    """Say which models are not offered; under the same id each time, so that it is shown once."""
    return ResponseModelMessagePop(
        id=str(uuid5(NAMESPACE_OID, "\n".join(left_out))),
        message=offers.advice(left_out),
        origin="this horde",
        expiry=now() + TOLD_AGAIN,
    )


async def _pop(
    server: Server, declared: Declared, verdict: Verdict, *, amount: int, decoys: bool
) -> Popped:
    async with callers.writing() as session:
        owner = await context.user(session)
        checkin = await _checkin_context(session, server, verdict)
        found = await pop.pop(
            session, server.horde, owner, declared, amount=amount, context=checkin, decoys=decoys
        )
    await pop.announce(server.horde, found)
    return found


async def _verdict(server: Server) -> Verdict:
    """What is known about the worker's address, if that matters. It may ask a service."""
    if server.horde.scorer is None:
        return Verdict.SAFE
    async with server.database.reading() as session:
        owner = await context.user(session)
    if not admission.needs_safe_address(owner):
        return Verdict.SAFE
    return await server.horde.scorer.judge(context.address())


async def _checkin_context(session: Reading, server: Server, verdict: Verdict) -> CheckinContext:
    return CheckinContext(
        address=context.address(),
        verdict=verdict,
        modes=await server.horde.modes.refresh(session, at=now()),
        anonymous_workers=server.settings.anonymous_workers == "on",
    )


async def _wait(
    server: Server,
    waiter: Waiter,
    again: Callable[[], Awaitable[Popped]],
    wait: float,
    found: Popped,
) -> Popped:
    """Try again whenever work comes in that fits. No session is held meanwhile.

    After a call it pops; without one, a pop is worth its transaction only if a reading look sees a
    job that may fit. A wait is shorter than the time for which a check-in holds.
    """
    loop, waiters = asyncio.get_running_loop(), server.horde.waiters
    until = loop.time() + wait
    while not found.works and (remaining := until - loop.time()) > 0:
        why = await waiter.wait(remaining, linked=server.horde.bus.linked)
        if waiters.closed:
            break
        worth_it = why is Why.CALLED or await _may_find(server, waiter, why)
        if worth_it:
            found = await again()
        waiters.looked(waiter, settled=bool(found.works) or not worth_it)
    return found


async def _may_find(server: Server, waiter: Waiter, why: Why) -> bool:
    """Whether a job waits that may fit: one look for all waiters that want it at the same time.

    If events arrive, a lane is not tried again before its first job has changed.
    """
    horde = server.horde
    since = time.monotonic() - (SHARED_SECONDS if why is Why.CLOCK else 0)
    async with horde.heads.turn:
        if horde.heads.read_at < since:
            async with server.database.reading() as session:
                await horde.heads.read(session, horde.lanes)
    fitting = horde.heads.fitting(horde.lanes, waiter.offer)
    tried = waiter.tried if why is Why.CLOCK and horde.bus.linked else {}
    waiter.tried = fitting
    parked = horde.heads.may_be_parked(horde.lanes, waiter.offer)
    return parked or bool(fitting.items() - tried.items())
