"""What the five steps share in a process, and how the steps tell each other what happened."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from core.db import Reading, now
from core.events import Bus
from core.events.bus import Message
from core.generation.waiters import Waiters
from core.images.store import Store
from core.moderation.modes import CurrentModes
from core.moderation.prompts import Filters
from core.moderation.scores import Scorer
from core.queue.heads import Heads
from core.queue.lanes import Lanes
from core.queue.matching import Needs
from core.queue.waiting import WaitingCounts
from core.settings import Settings
from core.workers.lately import Lately
from core.workers.messages import MessageCache
from core.workers.online import Online

JOBS = "jobs"
"""The channel that says where jobs wait: `{"lane": id, "count": n}`."""

_log = structlog.get_logger(__name__)


def channel_of(request_id: UUID) -> str:
    """The channel of what happens to a request: `{"what": …}`."""
    return f"request:{request_id}"


@dataclass(slots=True)
class Horde:
    """The parts of a running server that requests pass through."""

    settings: Settings
    store: Store
    bus: Bus
    lanes: Lanes
    online: Online = field(default_factory=Online)
    lately: Lately = field(default_factory=Lately)
    message_cache: MessageCache = field(default_factory=MessageCache)
    counts: WaitingCounts = field(default_factory=WaitingCounts)
    waiters: Waiters = field(default_factory=Waiters)
    heads: Heads = field(default_factory=Heads)
    modes: CurrentModes = field(default_factory=CurrentModes)
    filters: Filters = field(default_factory=Filters)
    scorer: Scorer | None = None
    """Detects addresses that hide their users; None: all count as safe."""
    started_at: datetime = field(default_factory=now)

    @property
    def life(self) -> timedelta:
        """How long a request lives after its last activity."""
        return timedelta(minutes=self.settings.request_minutes)

    def serves(self, needs: Needs) -> bool:
        """Whether a worker that is online, as last seen, could make what needs this."""
        return bool(self.online.crews.roster.able(needs))

    async def parking(
        self, session: Reading, needs: Needs, *, at: datetime
    ) -> Callable[[Needs], bool]:
        """Returns a test of needs: whether nobody could serve them lately, so that they are parked.

        needs: those that are asked for.
        """
        if self.serves(needs):
            return lambda its: not self.serves(its)
        await self.lately.refresh(session, at=at)
        return lambda its: not (self.serves(its) or self.lately.could_serve(its))

    def threads(self, kind: str) -> int:
        """How many jobs of the kind the online workers can do at once, as last seen."""
        return sum(one.threads for one in self.online.serving if one.offer.kind == kind)

    def waiting(self, kind: str) -> int:
        """How many jobs of the kind wait, as last counted."""
        lanes = self.lanes.least_needs()
        return sum(
            count
            for lane_id, count in self.counts.jobs.items()
            if lane_id in lanes and lanes[lane_id].kind == kind
        )

    def lanes_naming(self, kind: str, models: frozenset[str]) -> list[int]:
        """The kind's lanes that name one of these models; without models, those that name none."""
        return [
            lane_id
            for lane_id, needs in self.lanes.least_needs().items()
            if needs.kind == kind
            and (needs.models == models or not needs.models.isdisjoint(models))
        ]

    async def jobs_wait(self, lane_id: int, count: int) -> None:
        """Tell waiting workers. Call it after the commit."""
        await self.bus.publish(JOBS, {"lane": lane_id, "count": count})

    async def changed(self, request_id: UUID, what: str) -> None:
        """Tell the request's watchers. Call it after the commit."""
        await self.bus.publish(channel_of(request_id), {"what": what})

    async def listen(self, learn: Callable[[], Awaitable[None]]) -> None:
        """Wake waiting pops as jobs come in, until cancelled.

        learn: reads which lanes there are now; it may fail.
        """
        async with self.bus.subscribe(JOBS) as messages:
            dropped = 0
            async for message in messages:
                if dropped != messages.dropped:
                    dropped = messages.dropped
                    self.waiters.hint()
                await self._heard(message, learn)

    async def _heard(self, message: Message, learn: Callable[[], Awaitable[None]]) -> None:
        lane_id, count = message.get("lane"), message.get("count")
        if type(lane_id) is not int or type(count) is not int:
            _log.warning("unreadable message", channel=JOBS)
            return
        self.counts.is_stale = True
        if lane_id not in (known := self.lanes.least_needs()):
            try:
                await learn()
            except Exception:  # noqa: BLE001 - then all lanes are as good as any
                _log.exception("lanes not read")
            known = self.lanes.least_needs()
        self.waiters.wake(known.get(lane_id), count)
