"""Who is online, as this process last saw it: for warnings, forecasts and the status pages."""

import time
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from core.db import AnyRow
from core.queue.forecast import Server
from core.queue.matching import Offer
from core.workers import fleet

SEEN_AGAIN_SECONDS = 2.0
USUAL_SPEED = {"image": 1_000_000.0, "text": 1.0, "alchemy": 1.0}
"""Things a second of a worker that has delivered nothing yet."""


class Online:
    """The workers of the last 300 s, read anew at most every 2 s."""

    def __init__(self) -> None:
        self._read_at = float("-inf")
        self.workers: Sequence[AnyRow] = ()
        """All of them, rows of `workers`."""
        self.servers: Sequence[Server] = ()
        """Those that serve everybody: not paused, not in maintenance."""

    async def refresh(self, session: AsyncSession, *, at: datetime) -> None:
        """Read anew where the last look is old."""
        if time.monotonic() - self._read_at < SEEN_AGAIN_SECONDS:
            return
        self.workers = await fleet.online(session, at=at)
        self.servers = [
            Server(
                Offer.from_json(row.offer), row.speed or USUAL_SPEED[row.kind], max(1, row.threads)
            )
            for row in self.workers
            if not row.paused and not row.maintenance
        ]
        self._read_at = time.monotonic()

    def forget(self) -> None:
        """Look again next time: somebody new is here."""
        self._read_at = float("-inf")
