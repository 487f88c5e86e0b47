"""Signs of life: a worker says that it is at jobs, how far it is, and what there is to see.

Who watches the request is told; nothing of that is stored. What is stored, now and then, is when
the worker was last heard of: whoever was heard and falls silent loses the job before its deadline.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from core.db import Reading
from core.generation.horde import Horde, channel_of
from core.queue import attempts
from core.queue.rows import AtWork
from core.queue.tables import Outcome
from core.users.tables import User
from core.workers import fleet

WRITTEN_EVERY: Final = timedelta(seconds=10)
PROGRESS: Final = "progress"
"""Of a message to who watches a request: what it tells."""
PIECE_CHARS: Final = 6000
"""Of what is shown; messages between processes are small."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What there is to see of a job. kind: `preview` (base64 WebP) or `text`."""

    kind: str
    data: str


@dataclass(frozen=True, slots=True)
class Heard:
    """The jobs that a worker says it is at."""

    alive: Sequence[AtWork]
    """Those that are its own, in no order."""
    gone: Sequence[str]
    """The ids of the others."""

    @property
    def real(self) -> Sequence[AtWork]:
        """Those that somebody waits for."""
        return [row for row in self.alive if row.outcome == Outcome.ALIVE]

    def unwritten(self, at: datetime) -> list[UUID]:
        """Of those, whose sign of life is to be stored."""
        return [
            row.id
            for row in self.real
            if row.heard_at is None or at - row.heard_at >= WRITTEN_EVERY
        ]


async def hear(session: Reading, owner: User, job_ids: Iterable[str], *, at: datetime) -> Heard:
    """Look at the jobs that a worker of this user says it is at. Raises WrongCredentials."""
    wanted = list(dict.fromkeys(job_ids))
    rows = await attempts.at_work(session, [one for text in wanted if (one := _parsed(text))])
    if any(row.owner_id != owner.id for row in rows):
        raise fleet.WrongCredentials("Wrong credentials to tell of this job.")
    alive = [
        row for row in rows if row.outcome in (Outcome.ALIVE, Outcome.DECOY) and row.expires_at > at
    ]
    known = {row.id for row in alive}
    return Heard(alive, [text for text in wanted if _parsed(text) not in known])


def may_be_seen(row: AtWork) -> bool:
    """Whether anybody may see it before it is done: not where it may have to be censored."""
    return not row.params.get("use_nsfw_censor")


async def tell(
    horde: Horde, row: AtWork, *, step: int, steps: int, shown: Shown | None = None
) -> None:
    """Tell who watches the request how far a job of it is."""
    data = "" if shown is None else shown.data
    pieces = [data[at : at + PIECE_CHARS] for at in range(0, len(data), PIECE_CHARS)] or [""]
    for number, piece in enumerate(pieces, start=1):
        message = {
            "what": PROGRESS,
            "job": row.number,
            "step": step,
            "steps": steps,
            "shown": None if shown is None else shown.kind,
            "piece": [number, len(pieces), piece],
        }
        await horde.bus.publish(channel_of(row.request_id), message)


def _parsed(job_id: str) -> UUID | None:
    try:
        return UUID(job_id)
    except ValueError:
        return None
