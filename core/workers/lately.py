"""What the workers of the last hour offered: a request that none of them could serve is parked."""

import time
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from sqlalchemy import select

from core.db import Reading, table
from core.queue import matching
from core.queue.matching import Needs, Offer
from core.workers.tables import WorkerRow

LATELY = timedelta(hours=1)
LOOK_AGAIN_SECONDS = 10.0

_workers = table(WorkerRow)


class Lately:
    """The offers of the last hour, each once; read again at most every 10 s."""

    def __init__(self) -> None:
        self._read_at = float("-inf")
        self._offers: Mapping[str, Collection[Offer]] = {}

    async def refresh(self, session: Reading, *, at: datetime) -> None:
        """Read again if the last look is out of date."""
        if time.monotonic() - self._read_at < LOOK_AGAIN_SECONDS:
            return
        found: dict[str, set[Offer]] = {}
        rows = await session.scalars(
            select(_workers.c.offer).where(_workers.c.seen_at > at - LATELY)
        )
        for document in rows:
            offer = Offer.from_json(document)
            found.setdefault(offer.kind, set()).add(offer)
        self._offers = found
        self._read_at = time.monotonic()

    def could_serve(self, needs: Needs) -> bool:
        """Whether one of those workers could have served this."""
        return any(matching.accepts(needs, offer) for offer in self._offers.get(needs.kind, ()))
