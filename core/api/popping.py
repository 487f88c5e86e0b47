"""What all pops have in common: the worker checks in, gets work, and may wait for it."""

import asyncio

from core.api import context
from core.api.context import Server
from core.generation import pop
from core.generation.pop import Popped
from core.workers.offers import Declared

MOST_JOBS = 20
"""A pop may have at most."""


async def popped(declared: Declared, *, amount: int, wait: float) -> Popped:
    """Give the worker up to `amount` jobs; where there are none, wait up to so many seconds."""
    server = context.server()
    calls = server.horde.waiters.calls
    found = await _pop(server, declared, amount)
    if not found.works and wait > 0:
        found = await _wait(server, declared, amount, wait, found, calls)
    return found


async def _pop(server: Server, declared: Declared, amount: int) -> Popped:
    async with server.database.writing() as session:
        owner = await context.user(session, renew=True)
        found = await pop.pop(session, server.horde, owner, declared, amount=amount)
    if not found.works:
        pop.refuse_maintenance(found.worker)
    await pop.announce(server.horde, found)
    return found


async def _wait(
    server: Server, declared: Declared, amount: int, wait: float, found: Popped, calls: int
) -> Popped:
    """Try again whenever work comes in that fits. No session is held meanwhile."""
    loop = asyncio.get_running_loop()
    until = loop.time() + wait
    worker = found.worker
    line = server.horde.waiters.in_line(worker.offer, calls=calls, claims=not worker.paused)
    with line as waiter:
        while not found.works and (remaining := until - loop.time()) > 0:
            await waiter.wait(remaining)
            found = await _pop(server, declared, amount)
    return found
