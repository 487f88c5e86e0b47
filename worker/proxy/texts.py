"""What is the same of all programs that write: how far a text is, and where it ends."""

from typing import Final

from core.wire.limits import MAX_TEXT_RESULT_CHARS
from worker.text.formatting import ended, shaped
from worker.text.order import TextOrder, Written

CHARS_A_TOKEN: Final = 4
"""About, in English: for showing how far a text is."""
MAX_CHARS_A_TOKEN: Final = 32
"""On average; a longer text goes on when it should have ended."""


def length_of(said: object) -> int | None:
    """Read a number of tokens; None where it is none."""
    return said if type(said) is int and said > 0 else None


def tokens_of(text: str, order: TextOrder) -> int:
    """Guess how many tokens a text has, by its length."""
    return min(order.length, len(text) // CHARS_A_TOKEN)


def bounded(text: str, order: TextOrder) -> str:
    """Leave out what no text of so many tokens has."""
    return text[: min(order.length * MAX_CHARS_A_TOKEN, MAX_TEXT_RESULT_CHARS)]


def is_over(text: str, order: TextOrder) -> bool:
    """Whether nothing that follows belongs to the text any more."""
    if len(text) > len(bounded(text, order)):
        return True
    return ended(text, stops=order.stops, single_line=order.single_line) is not None


def finished(text: str, order: TextOrder) -> Written:
    """End and shape a text as was asked, whatever the server did of it."""
    text = bounded(text, order)
    whole = ended(text, stops=order.stops, single_line=order.single_line)
    text = text if whole is None else whole
    shape = shaped(text, order.prompt, order.format)
    return Written(shape, max(1, tokens_of(text, order)))
