"""What a check found."""

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How bad it is."""

    FINE = "fine"
    ODD = "odd"
    """It serves, but not as well as it could."""
    BAD = "bad"
    """It cannot serve like this."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. advice: what to do about it; empty where there is nothing."""

    what: str
    grade: Grade
    found: str
    advice: str = ""
