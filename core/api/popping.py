"""What all pops have in common: the worker checks in, gets work, and may wait for it."""

import asyncio
from collections.abc import Awaitable, Callable

from sqlalchemy.ext.asyncio import AsyncSession

from core.api import callers, context
from core.api.context import Server
from core.db import now
from core.generation import pop
from core.generation.pop import Popped
from core.moderation.scores import Verdict
from core.wire.messages import ResponseModelMessagePop
from core.workers import admission
from core.workers.admission import CheckinContext
from core.workers.offers import Declared

MAX_JOBS = 20
"""A pop may have at most."""


async def popped(declared: Declared, *, amount: int, wait: float, decoys: bool = True) -> Popped:
    """Give the worker up to `amount` jobs; where there are none, wait up to so many seconds.

    decoys: whether it gets one where it is paused.
    """
    server = context.server()
    verdict = await _verdict(server)
    calls = server.horde.waiters.calls

    async def again() -> Popped:
        return await _pop(server, declared, verdict, amount=amount, decoys=decoys)

    found = await again()
    if not found.works and wait > 0:
        found = await _wait(server, again, wait, found, calls)
    return found


def told(found: Popped) -> list[ResponseModelMessagePop]:
    """What the worker is told with its pop."""
    return [
        ResponseModelMessagePop(
            id=str(row.id), message=row.message, origin=row.origin, expiry=row.expires_at
        )
        for row in found.messages
    ]


async def _pop(
    server: Server, declared: Declared, verdict: Verdict, *, amount: int, decoys: bool
) -> Popped:
    async with callers.writing() as session:
        owner = await context.user(session, renew=True)
        checkin = await _checkin_context(session, server, verdict)
        found = await pop.pop(
            session, server.horde, owner, declared, amount=amount, context=checkin, decoys=decoys
        )
    if not found.works:
        pop.refuse_maintenance(found.worker)
    await pop.announce(server.horde, found)
    return found


async def _verdict(server: Server) -> Verdict:
    """What is known of the worker's address, where that matters. It may ask a service."""
    if server.horde.scorer is None:
        return Verdict.SAFE
    async with server.database.reading() as session:
        owner = await context.user(session)
    if not admission.needs_safe_address(owner):
        return Verdict.SAFE
    return await server.horde.scorer.judge(context.address())


async def _checkin_context(
    session: AsyncSession, server: Server, verdict: Verdict
) -> CheckinContext:
    return CheckinContext(
        address=context.address(),
        verdict=verdict,
        modes=await server.horde.modes.refresh(session, at=now()),
        anonymous_workers=server.settings.anonymous_workers == "on",
    )


async def _wait(
    server: Server, again: Callable[[], Awaitable[Popped]], wait: float, found: Popped, calls: int
) -> Popped:
    """Try again whenever work comes in that fits. No session is held meanwhile."""
    loop = asyncio.get_running_loop()
    until = loop.time() + wait
    worker = found.worker
    line = server.horde.waiters.in_line(worker.offer, calls=calls, claims=not worker.paused)
    with line as waiter:
        while not found.works and (remaining := until - loop.time()) > 0:
            await waiter.wait(remaining)
            found = await again()
    return found
