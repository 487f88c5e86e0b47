"""Who is online, as this process last saw it: for warnings, forecasts and the status pages."""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from core.db import AnyRow
from core.kinds import registry
from core.queue.forecast import OnlineWorker
from core.queue.matching import Offer
from core.workers import fleet

SEEN_AGAIN_SECONDS = 2.0
DEAR = SEEN_AGAIN_SECONDS / 20
"""Where looking takes longer than this, it is done less often: for 5 % of the time."""


class Capacity(NamedTuple):
    """What all workers that offer a model can do together."""

    threads: int = 0
    speed: float = 0.0
    """Things a second."""


NO_CAPACITY = Capacity()


class Online:
    """The workers of the last 300 s, read anew at most every 2 s; of a large fleet less often."""

    def __init__(self) -> None:
        self._read_at = float("-inf")
        self._took = 0.0
        self._capacities: Mapping[str, dict[str, Capacity]] | None = None
        self.workers: Sequence[AnyRow] = ()
        """All of them, rows of `workers`."""
        self.serving: Sequence[OnlineWorker] = ()
        """Those that serve everybody: not paused, not in maintenance."""

    async def refresh(self, session: AsyncSession, *, at: datetime) -> None:
        """Read anew where the last look is old."""
        start = time.monotonic()
        if start - self._read_at < (SEEN_AGAIN_SECONDS if self._took < DEAR else 20 * self._took):
            return
        self.workers = await fleet.online(session, at=at)
        self.serving = [
            OnlineWorker(
                Offer.from_json(row.offer),
                row.speed or registry.of(row.kind).usual_speed,
                max(1, row.threads),
            )
            for row in self.workers
            if not row.paused and not row.maintenance
        ]
        self._capacities = None
        self._read_at = time.monotonic()
        self._took = self._read_at - start

    def capacities(self, kind: str) -> Mapping[str, Capacity]:
        """What those that serve everybody can do, by model; added up once for each look."""
        if self._capacities is None:
            found: dict[str, dict[str, Capacity]] = defaultdict(dict)
            for server in self.serving:
                of_kind, speed = found[server.offer.kind], server.speed * server.threads
                for model in server.offer.models:
                    had = of_kind.get(model, NO_CAPACITY)
                    of_kind[model] = Capacity(had.threads + server.threads, had.speed + speed)
            self._capacities = found
        return self._capacities.get(kind, {})

    def forget(self) -> None:
        """Look again next time: somebody new is here."""
        self._read_at = float("-inf")
