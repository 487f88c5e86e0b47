"""How far a request is, the same for every kind."""

from dataclasses import dataclass, field
from typing import Any


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


@dataclass(frozen=True)
class Result:
    """One thing that came of a request. data: of a file called `name`."""

    name: str = ""
    data: bytes | None = None
    url: str | None = None
    """Where to find a file that is too large."""
    text: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    """id, seed, worker, model, censored: what is stored of it."""

    @property
    def is_unsafe(self) -> bool:
        """Whether the worker says that the picture is unsafe."""
        return bool(self.facts.get("nsfw"))

    @property
    def is_censored(self) -> bool:
        """Whether the worker replaced an unsafe picture."""
        return bool(self.facts.get("censored"))
