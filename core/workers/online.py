"""Who is online, as this process last saw it: for warnings, forecasts and the status pages."""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from core.db import Reading
from core.kinds import registry
from core.queue import progress
from core.queue.crews import Crews, OnlineWorker
from core.queue.matching import Offer
from core.queue.measured import ANY_MODEL
from core.queue.pace import Pace
from core.workers import fleet, records
from core.workers.tables import Worker

SEEN_AGAIN_SECONDS = 2.0
COST_FACTOR = 20
COSTLY_SECONDS = SEEN_AGAIN_SECONDS / COST_FACTOR
"""If looking takes longer than this, it is done less often: at most 5 % of the time."""


class Capacity(NamedTuple):
    """What all workers that offer a model can do together."""

    threads: int = 0
    speed: float = 0.0
    """Things a second, of large jobs."""
    pace: Pace | None = None
    """The pace of all of them together at the model; None if nobody offers it."""


NO_CAPACITY = Capacity()


class Online:
    """The workers of the last 300 s, read again at most every 2 s, a large fleet less often."""

    def __init__(self) -> None:
        self._read_at = float("-inf")
        self._took = 0.0
        self._capacities: dict[str, Mapping[str, Capacity]] = {}
        self._offers: dict[UUID, tuple[object, Offer]] = {}
        """By worker, the document that it declared last, and the offer read from it."""
        self.workers: Sequence[Worker] = ()
        """All of them, rows of `workers`."""
        self.serving: Sequence[OnlineWorker] = ()
        """Those that serve everybody: not paused, not in maintenance."""
        self.crews = Crews()
        """The same, arranged for forecasts, with their running jobs."""

    async def refresh(self, session: Reading, *, at: datetime) -> None:
        """Read again if the last look is out of date."""
        start = time.monotonic()
        is_cheap = self._took < COSTLY_SECONDS
        if start - self._read_at < (SEEN_AGAIN_SECONDS if is_cheap else COST_FACTOR * self._took):
            return
        workers = await fleet.online(session, at=at)
        running = await progress.running(session)
        self._offers = {row.id: (row.offer, self._offer(row)) for row in workers}
        everybody = [(row, self._online_worker(row)) for row in workers]
        serving = [one for row, one in everybody if not row.paused and not row.maintenance]
        others = [one for row, one in everybody if row.paused or row.maintenance]
        crews = Crews(serving, running, at=at, before=self.crews, others=others)
        self.workers, self.serving, self.crews = workers, serving, crews
        self._capacities = {}
        self._read_at = time.monotonic()
        self._took = self._read_at - start

    def _offer(self, row: Worker) -> Offer:
        """What the worker offers; the same object as long as it declares the same."""
        document, offer = self._offers.get(row.id, (None, None))
        return offer if offer is not None and document == row.offer else Offer.from_json(row.offer)

    def _online_worker(self, row: Worker) -> OnlineWorker:
        paces = records.paces_of(row.paces)
        return OnlineWorker(
            self._offers[row.id][1],
            row.speed or registry.of(row.kind).usual_speed,
            max(1, row.threads),
            paces.pop(ANY_MODEL, None),
            paces,
        )

    def capacities(self, kind: str) -> Mapping[str, Capacity]:
        """What the workers that serve everybody can do, by model; added up once for each look."""
        if kind not in self._capacities:
            able: dict[str, int] = defaultdict(int)
            speeds: dict[str, float] = defaultdict(float)
            for number, server in enumerate(self.serving):
                if server.offer.kind == kind:
                    for model in server.offer.models:
                        able[model] |= 1 << number
                        speeds[model] += server.speed * server.threads
            self._capacities[kind] = {
                model: Capacity(
                    self.crews.threads(workers),
                    speeds[model],
                    self.crews.pace(workers, kind, frozenset({model})),
                )
                for model, workers in able.items()
            }
        return self._capacities[kind]

    def forget(self) -> None:
        """Look again next time: a new worker came."""
        self._read_at = float("-inf")
