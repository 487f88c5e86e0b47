"""The loop that performs due steps, in the one process that holds the lease."""

import asyncio
import os
import socket
from datetime import timedelta

import structlog

from core.db import Database, now
from core.generation.horde import Horde
from core.upkeep import lease
from core.upkeep.steps import STEPS, Step

DUTY = "upkeep"
LEASE = timedelta(seconds=30)
RENEWED_EVERY_SECONDS = 5.0

_log = structlog.get_logger(__name__)


class Upkeep:
    """Does periodic work while it holds the lease; otherwise it waits for the lease."""

    def __init__(self, database: Database, horde: Horde) -> None:
        self._database = database
        self._horde = horde
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{os.urandom(4).hex()}"
        self._due: dict[str, float] = {}

    async def run(self) -> None:
        """Run until cancelled, then give up the lease. Failures are logged and retried."""
        try:
            while True:
                try:
                    more = await self.turn()
                except Exception:  # noqa: BLE001 - the loop's top: upkeep outlives any failure
                    _log.exception("upkeep failed")
                    more = False
                await asyncio.sleep(0 if more else RENEWED_EVERY_SECONDS)
        finally:
            async with self._database.writing() as session:
                await lease.give_up(session, DUTY, self._holder, at=now())

    async def turn(self) -> bool:
        """Take or renew the lease and do what is due. Returns whether more is due at once.

        A step that fails is logged and due again after its usual time; the others run.
        """
        async with self._database.writing() as session:
            fence = await lease.take(session, DUTY, self._holder, at=now(), length=LEASE)
        if fence is None:
            self._due.clear()
            return False
        clock = asyncio.get_running_loop().time()
        unfinished = False
        for step in STEPS:
            if self._due.get(step.name, 0.0) <= clock:
                self._due[step.name] = clock + step.seconds
                try:
                    more = await self._do(step, fence)
                except Exception:  # noqa: BLE001 - one step's defect must not stop the others
                    _log.exception("upkeep step failed", step=step.name)
                    continue
                if more:
                    self._due[step.name] = clock
                    unfinished = True
        return unfinished

    async def _do(self, step: Step, fence: int) -> bool:
        """Run a step once, if the lease is still ours. Returns whether it has more to do."""
        async with self._database.writing() as session:
            if not await lease.still_held(session, DUTY, self._holder, fence):
                return False
            more, after = await step.run(session, self._horde, now())
        if after is not None:
            await after()
        return more
