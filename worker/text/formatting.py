"""Where a text ends, and how it is formatted: the flags of KoboldAI's API."""

import re
from collections.abc import Sequence
from typing import Final

from worker.text.order import Format

SPECIAL: Final = str.maketrans("", "", "#/@%{}+=~|\\^<>")
SENTENCE_END: Final = re.compile(r"[.!?…][\"'\u201d\u2019»)*]*")
BROKEN: Final = "\ufffd"
"""Stands for bytes that do not form a character yet."""


def ended(text: str, *, stops: Sequence[str], single_line: bool) -> str | None:
    """The text up to its end, with the stop sequence that ended it; None: it goes on."""
    ends = [at + len(stop) for stop in stops if (at := text.find(stop)) >= 0]
    if single_line and (at := text.find("\n")) >= 0:
        ends.append(at)
    return text[: min(ends)] if ends else None


def so_far(text: str) -> str:
    """Give what is written of a text that goes on, in whole characters."""
    return text.rstrip(BROKEN)


def shaped(text: str, prompt: str, wanted: Format) -> str:
    """Format a finished text as wanted."""
    text = text.rstrip(BROKEN)
    if wanted.whole and (sentences := list(SENTENCE_END.finditer(text))):
        text = text[: sentences[-1].end()]
    if wanted.no_blank_lines:
        text = re.sub(r"\n{2,}", "\n", text)
    if wanted.plain:
        text = text.translate(SPECIAL)
    if wanted.spaced and prompt and not prompt[-1].isspace() and text[:1].isalnum():
        text = f" {text}"
    return text
