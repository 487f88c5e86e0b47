"""A typed, asynchronous client of the API: `HordeClient`, and the errors it raises.

Everything that speaks to a horde in Python goes through it. It knows the wire and nothing else of
`core`.
"""

from core.client.errors import (
    AlreadySubmitted,
    Forbidden,
    HordeError,
    InMaintenance,
    Invalid,
    JobGone,
    NotFound,
    TimedOut,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
    UnexpectedAnswer,
    Unreachable,
    UnreadableJobs,
)
from core.client.horde import HordeClient
from core.client.retries import Retries

__all__ = [
    "AlreadySubmitted",
    "Forbidden",
    "HordeClient",
    "HordeError",
    "InMaintenance",
    "Invalid",
    "JobGone",
    "NotFound",
    "Retries",
    "TimedOut",
    "TooLarge",
    "TooMany",
    "Unauthenticated",
    "Unavailable",
    "UnexpectedAnswer",
    "Unreachable",
    "UnreadableJobs",
]
