"""Reads prompts: the negative part, weights, and chunks of what a text encoder takes at once.

The weights are A1111's: `(word)` is 1.1, `(word:1.3)` is 1.3, `[word]` is 1/1.1; they multiply when
nested, and a backslash takes a bracket for what it is. A bracket without its partner is text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from core.features import NEGATIVE

MORE: Final = 1.1
LESS: Final = 1 / MORE
MOST: Final = 5.0
"""No weight counts for more, on either side of zero."""
_PAIRS: Final = {("(", ")"): MORE, ("[", "]"): LESS}

_TOKEN: Final = re.compile(
    r"\\[\\()\[\]]"  # an escaped bracket or backslash
    r"|[(\[\]]"
    r"|:\s*(?P<weight>[+-]?(?:\d+\.?\d*|\.\d+))\s*\)"  # the end of (word:1.3)
    r"|\)"
    r"|[^\\()\[\]:]+"
    r"|[\\:]"
)


@dataclass(frozen=True)
class Segment:
    """A piece of a prompt, and how strongly it counts."""

    text: str
    weight: float = 1.0


def split_negative(prompt: str) -> tuple[str, str]:
    """Split a prompt into what is wanted and, after the first `###`, what is not."""
    positive, _, negative = prompt.partition(NEGATIVE)
    return positive.strip(), negative.strip()


def parse(prompt: str) -> list[Segment]:
    """Read the weights of a prompt; neighbours of the same weight are one segment."""
    pieces: list[Segment] = []
    opened: list[tuple[str, int]] = []  # the bracket, and where its content begins in `pieces`
    for match in _TOKEN.finditer(prompt):
        token = match.group()
        if token in {"(", "["}:
            pieces.append(Segment(token))  # text, until its partner shows up
            opened.append((token, len(pieces)))
        elif match["weight"] is not None and _inner(opened) == "(":
            _close(pieces, opened, float(match["weight"]))
        elif (_inner(opened), token) in _PAIRS:
            _close(pieces, opened, _PAIRS[_inner(opened), token])
        else:
            is_escape = token[0] == "\\" and len(token) > 1
            pieces.append(Segment(token[1:] if is_escape else token))
    return _merged(pieces)


def chunks(tokens: Sequence[tuple[int, float]], size: int) -> list[list[tuple[int, float]]]:
    """Cut weighted tokens into chunks of at most `size`; at least one, which may be empty."""
    cut = [list(tokens[start : start + size]) for start in range(0, len(tokens), size)]
    return cut or [[]]


def _inner(opened: list[tuple[str, int]]) -> str:
    return opened[-1][0] if opened else ""


def _close(pieces: list[Segment], opened: list[tuple[str, int]], weight: float) -> None:
    """Weigh what stands since the innermost open bracket, and drop the bracket."""
    _, start = opened.pop()
    pieces[start:] = [Segment(piece.text, piece.weight * weight) for piece in pieces[start:]]
    del pieces[start - 1]


def _merged(pieces: list[Segment]) -> list[Segment]:
    merged: list[Segment] = []
    for piece in pieces:
        weight = max(-MOST, min(MOST, piece.weight))
        if merged and merged[-1].weight == weight:
            merged[-1] = Segment(merged[-1].text + piece.text, weight)
        else:
            merged.append(Segment(piece.text, weight))
    return merged
