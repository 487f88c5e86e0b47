"""Exit statuses of `horde`, and those of a horde's errors."""

from enum import IntEnum

from core.client import HordeError, TimedOut, Unavailable, UnexpectedAnswer, Unreachable


class Exit(IntEnum):
    """The exit statuses that a shell sees. 2 is also the one for wrong options."""

    OK = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    """The horde refused."""
    FAULTED = 4
    """Workers could not make it."""
    TIMED_OUT = 5
    CANCELLED = 6
    UNREACHABLE = 7


class Failure(Exception):
    """A command cannot do what was asked. The text is for the person at the terminal."""

    def __init__(self, exit_status: Exit, message: str) -> None:
        super().__init__(message)
        self.exit_status = exit_status


def of(error: HordeError) -> Exit:
    """The exit status for an error of the client."""
    if isinstance(error, TimedOut):
        return Exit.TIMED_OUT
    if isinstance(error, Unreachable | Unavailable | UnexpectedAnswer):
        return Exit.UNREACHABLE
    return Exit.REFUSED
