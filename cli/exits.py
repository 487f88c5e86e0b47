"""Exit statuses of `horde`, and what it says where it cannot do what was asked."""

import contextlib
from collections.abc import Iterator
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.client import HordeError


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


def failure(error: "HordeError", url: str) -> Failure:
    """What to say of an error of the client, and the exit status. url: of the horde."""
    from core.client import (  # noqa: PLC0415 - help starts without it
        TimedOut,
        Unauthenticated,
        Unavailable,
        UnexpectedAnswer,
        Unreachable,
    )

    if isinstance(error, TimedOut):
        return Failure(Exit.TIMED_OUT, _sentence(str(error)))
    if isinstance(error, Unreachable):
        hint = "`horde up` starts one on this machine." if _is_here(url) else "Is it running?"
        return Failure(Exit.UNREACHABLE, f"The horde at {url} does not answer. {hint}")
    if isinstance(error, UnexpectedAnswer):
        told = f"What answers at {url} is not a horde, or not one of this version: {error}"
        return Failure(Exit.UNREACHABLE, _sentence(told))
    if isinstance(error, Unavailable):
        return Failure(Exit.UNREACHABLE, f"The horde at {url} cannot answer now: {error}")
    if isinstance(error, Unauthenticated):
        told = f"{_sentence(str(error))} `horde login` keeps another key for {url}."
        return Failure(Exit.REFUSED, told)
    return Failure(Exit.REFUSED, _sentence(str(error)))


@contextlib.contextmanager
def explained(url: str) -> Iterator[None]:
    """Turn what the client raises into a Failure: the only place that does."""
    from pydantic import ValidationError  # noqa: PLC0415

    from core.client import HordeError  # noqa: PLC0415
    from core.wire.validation import errors_of  # noqa: PLC0415

    try:
        yield
    except HordeError as error:
        raise failure(error, url) from None
    except ValidationError as error:
        told = "; ".join(f"{path}: {why}" for path, why in errors_of(error).items())
        raise Failure(Exit.USAGE, f"{told}.") from None


def _sentence(text: str) -> str:
    text = text.strip()
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?", ")")) else f"{text}."


def _is_here(url: str) -> bool:
    return any(f"//{host}" in url for host in ("127.0.0.1", "localhost", "[::1]"))
