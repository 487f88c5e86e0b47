"""A typed client of the API, `HordeClient` (and `SyncHordeClient`), and the errors it raises.

Everything that speaks to a horde in Python goes through it. It knows the wire and nothing else of
`core`.
"""

from core.client.api import filled
from core.client.connection import ANONYMOUS_KEY
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
from core.client.horde import Horde, HordeClient, SyncHordeClient
from core.client.retries import Retries

__all__ = [
    "ANONYMOUS_KEY",
    "AlreadySubmitted",
    "Forbidden",
    "Horde",
    "HordeClient",
    "HordeError",
    "InMaintenance",
    "Invalid",
    "JobGone",
    "NotFound",
    "Retries",
    "SyncHordeClient",
    "TimedOut",
    "TooLarge",
    "TooMany",
    "Unauthenticated",
    "Unavailable",
    "UnexpectedAnswer",
    "Unreachable",
    "UnreadableJobs",
    "filled",
]
