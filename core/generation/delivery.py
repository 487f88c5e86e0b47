"""What a worker delivers, and what it is worth."""

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple
from uuid import UUID

from core.queue.rows import Attempt
from core.users.tables import User
from core.workers.tables import Worker

UPLOADED = "R2"
"""What stands for a picture that was uploaded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What a worker submits, checked for form only."""

    job_id: str
    seed: int = 0
    state: str = "ok"
    """ok, censored, faulted or csam."""
    metadata: list[dict[str, Any]] = field(default_factory=list)
    text: str | None = None
    """Of a text job."""
    form: dict[str, Any] | None = None
    """Of an alchemy job."""
    given_reason: str | None = None
    """Why it is a fault, where the worker said so apart from its notes."""
    size: tuple[int, int] | None = None
    """Width and height of the picture that the store has received; None if there is none."""

    def noted(self, note: str) -> "Delivery":
        """The same with a note for the requester."""
        entry = {"type": "information", "value": "see_ref", "ref": note}
        return replace(self, metadata=[*self.metadata, entry])

    @property
    def is_fault(self) -> bool:
        """The worker gives the job back."""
        return self.state == "faulted"

    @property
    def reason(self) -> str | None:
        """The worker's reason for a fault, else its notes."""
        if self.given_reason:
            return self.given_reason
        notes = (str(entry.get("ref") or entry["value"]) for entry in self.metadata)
        return "; ".join(notes) or None

    @property
    def is_censored(self) -> bool:
        """The worker held the result back."""
        return any(entry["type"] == "censorship" for entry in self.metadata)

    @property
    def shows_abuse(self) -> bool:
        """The worker held the result back because it shows abuse of children."""
        entries = (entry for entry in self.metadata if entry["type"] == "censorship")
        return any(entry["value"] == "csam" for entry in entries)

    @property
    def state_by_metadata(self) -> str:
        """The result's state according to the metadata: ok, censored or csam."""
        if self.shows_abuse:
            return "csam"
        return "censored" if self.is_censored else "ok"

    @property
    def text_state(self) -> str:
        """The state of a text: according to its metadata, else as the worker said."""
        return self.state_by_metadata if self.is_censored else self.state


@dataclass(frozen=True, slots=True)
class Open:
    """A job that may be delivered."""

    attempt: Attempt
    worker: Worker
    owner: User

    @property
    def picture(self) -> str:
        """The picture's name in the store."""
        return picture_of(self.attempt.id)


class Amounts(NamedTuple):
    """The amounts that a delivery moves, in hundredths of a kudos."""

    announced_reward: int
    """The earnings that the worker is told: before the factor for its program."""
    reward: int
    """What its owner gets."""
    charge: int
    """What the requester pays."""
    things: int | None = None
    """Size of the work as delivered; None: as ordered."""
    shortfall: str | None = None
    """What is not as ordered, in words, if less moves because of that."""


def picture_of(attempt_id: UUID) -> str:
    """The name of an attempt's picture in the store."""
    return f"{attempt_id}.webp"
