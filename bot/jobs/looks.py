"""How far a request is, and what came of it: the same for every kind."""

from dataclasses import dataclass, field
from typing import Any, Self

from core.wire.generate import RequestStatusCheck


@dataclass(frozen=True)
class Piece:
    """One result of a request, as an event stream tells of it. state: in the horde's words."""

    state: str = "waiting"
    step: int = 0
    steps: int = 0
    preview: bytes | None = None
    """A small WebP of what it will look like."""
    text: str | None = None
    """What is written of it so far."""


@dataclass(frozen=True)
class Look:
    """One look at a request. seconds: until it is done, as the horde guesses."""

    finished: int = 0
    processing: int = 0
    waiting: int = 0
    position: int = 0
    seconds: int = 0
    kudos: float = 0.0
    is_over: bool = False
    is_possible: bool = True
    reason: str | None = None
    """Why a worker failed, in its words."""
    pieces: tuple[Piece, ...] = ()
    """In order; none where the horde tells of all together only."""

    @classmethod
    def of(cls, check: RequestStatusCheck) -> Self:
        """Take what the horde says of a request."""
        reasons = [fault.reason for fault in check.faults or [] if fault.reason]
        return cls(
            finished=check.finished,
            processing=check.processing,
            waiting=check.waiting,
            position=check.queue_position,
            seconds=check.wait_time,
            kudos=check.cost,
            is_over=check.done or check.faulted,
            is_possible=check.is_possible,
            reason=reasons[-1] if reasons else None,
        )

    @property
    def at_work(self) -> list[Piece]:
        """The pieces that workers are at."""
        return [piece for piece in self.pieces if piece.state == "processing"]


@dataclass(frozen=True)
class Result:
    """One thing that came of a request. data: of a file called `name`."""

    name: str = ""
    data: bytes | None = None
    url: str | None = None
    """Where the file can be found for some time."""
    text: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    """id, seed, worker, model, censored, text: what is stored of it."""

    @property
    def is_unsafe(self) -> bool:
        """Whether the worker says that the picture is unsafe."""
        return bool(self.facts.get("nsfw"))

    @property
    def is_censored(self) -> bool:
        """Whether the worker replaced an unsafe picture."""
        return bool(self.facts.get("censored"))
