"""What workers are to be told with their pops, as this process last saw it.

Every pop asks, and there is hardly ever anything to tell: so the messages of all workers are read
together, not for each pop.
"""

import time
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from core.db import AnyRow, Reading
from core.workers import messages

SEEN_AGAIN_SECONDS = 2.0


class MessageCache:
    """The messages that have not expired, read anew at most every 2 s."""

    def __init__(self) -> None:
        self._read_at = float("-inf")
        self._active: Sequence[AnyRow] = ()

    async def refresh(self, session: Reading, *, at: datetime) -> None:
        """Read anew where the last look is old."""
        if time.monotonic() - self._read_at < SEEN_AGAIN_SECONDS:
            return
        self._active = await messages.active(session, at=at)
        self._read_at = time.monotonic()

    def for_worker(self, worker_id: UUID, *, at: datetime) -> list[AnyRow]:
        """What the worker is to be told now: rows of `worker_messages`, the oldest first."""
        return [
            message
            for message in self._active
            if message.worker_id in (None, worker_id) and message.expires_at > at
        ]

    def forget(self) -> None:
        """Look again next time: something was written or taken back here."""
        self._read_at = float("-inf")
