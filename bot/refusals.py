"""What is refused, in one sentence that says what to do next."""

from typing import Final

from bot.words import quoted
from core.client import (
    Forbidden,
    HordeError,
    Invalid,
    NotFound,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
    UnexpectedAnswer,
    Unreachable,
)

ACKNOWLEDGED, UNKNOWN_INTERACTION, INVALID_TOKEN = 40060, 10062, 50027
UNKNOWN_MESSAGE, UNKNOWN_WEBHOOK, UNKNOWN_CHANNEL = 10008, 10015, 10003
NO_ACCESS, NO_PERMISSION, CLOSED_DMS = 50001, 50013, 50007


LOG_IN_AGAIN: Final = (
    "The horde does not know your key any more: it was changed or revoked. "
    "Log in again with `/account login`."
)


class Refused(Exception):
    """The bot will not do it; the text is for whoever asked."""


def of_horde(error: HordeError) -> str:  # noqa: PLR0911 - a table
    """What to tell about a call that failed."""
    said = quoted(str(error))
    match error:
        case Unauthenticated():
            return LOG_IN_AGAIN
        case TooMany():
            wait = (
                f" in {error.retry_after_seconds:.0f} s" if error.retry_after_seconds else " soon"
            )
            return f"The horde has enough to do right now ({said}). Try again{wait}."
        case Unreachable():
            return "The horde does not answer at the moment. Nothing was charged; try again soon."
        case TooLarge():
            return "The horde's answer was too large to take. Ask for less."
        case UnexpectedAnswer():
            return (
                "Something that is no horde answered at the horde's address. Tell who runs this "
                "bot; nothing was charged."
            )
        case Unavailable():
            return "The horde cannot answer at the moment. Nothing was charged; try again soon."
        case NotFound():
            return f"The horde has no such thing (any more): {said}"
        case Invalid() | Forbidden():
            return f"The horde refuses this: {said}"
    return f"The horde could not do this: {said}"
