"""What a worker brings back, and what it is worth."""

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple
from uuid import UUID

from core.db import AnyRow
from core.users.tables import User

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
    size: tuple[int, int] | None = None
    """Width and height of the picture that the store has received; None where there is none."""

    def noted(self, note: str) -> "Delivery":
        """The same with a note for who asked."""
        entry = {"type": "information", "value": "see_ref", "ref": note}
        return replace(self, metadata=[*self.metadata, entry])

    @property
    def is_fault(self) -> bool:
        """The worker gives the job back."""
        return self.state == "faulted"

    @property
    def reason(self) -> str | None:
        """Why the worker could not, in its words, as its notes say it."""
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
        """The result's state as the metadata have it: ok, censored or csam."""
        if self.shows_abuse:
            return "csam"
        return "censored" if self.is_censored else "ok"

    @property
    def text_state(self) -> str:
        """The state of a text: as its metadata have it, else as the worker said."""
        return self.state_by_metadata if self.is_censored else self.state


@dataclass(frozen=True, slots=True)
class Open:
    """A job that may be delivered."""

    attempt: AnyRow
    worker: AnyRow
    owner: User

    @property
    def picture(self) -> str:
        """The picture's name in the store."""
        return picture_of(self.attempt.id)


class Amounts(NamedTuple):
    """What a delivery moves, hundredths of a kudos."""

    announced_reward: int
    """What the worker is told that it earned: before the factor for its program."""
    reward: int
    """What its owner gets."""
    charge: int
    """What the requester pays."""
    things: int | None = None
    """Size of the work as it turned out; None: as it was asked for."""
    shortfall: str | None = None
    """What of it is not as ordered, in words, where that is why less moves."""


def picture_of(attempt_id: UUID) -> str:
    """The name of an attempt's picture in the store."""
    return f"{attempt_id}.webp"
