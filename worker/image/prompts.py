"""Reads prompts: the negative part, weights, and chunks of what a text encoder takes at once.

The weights are A1111's: `(word)` is 1.1, `(word:1.3)` is 1.3, `[word]` is 1/1.1; they multiply when
nested, and a backslash makes a bracket literal. A bracket without its partner is text.
"""

import itertools
import operator
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from core.features import NEGATIVE

MORE: Final = 1.1
LESS: Final = 1 / MORE
MAX_WEIGHT: Final = 5.0
"""The largest weight, on either side of zero."""
_PAIRS: Final = {("(", ")"): MORE, ("[", "]"): LESS}

_TOKEN: Final = re.compile(
    r"\\[\\()\[\]]"  # an escaped bracket or backslash
    r"|[(\[\]]"
    # The end of (word:1.3); nothing is read twice, or long numbers would take for ever.
    r"|:\s*+(?P<weight>[+-]?(?:\d++\.?\d*+|\.\d++))\s*+\)"
    r"|\)"
    r"|[^\\()\[\]:]+"
    r"|[\\:]"
)


@dataclass(frozen=True)
class Segment:
    """A piece of a prompt, and how strongly it counts."""

    text: str
    weight: float = 1.0


@dataclass(frozen=True)
class _Group:
    """The content of a pair of brackets, and how strongly all of it counts."""

    pieces: Sequence["Segment | _Group"]
    weight: float


def split_negative(prompt: str) -> tuple[str, str]:
    """Split a prompt into the positive part and, after the first `###`, the negative part."""
    positive, _, negative = prompt.partition(NEGATIVE)
    return positive.strip(), negative.strip()


def parse(prompt: str) -> list[Segment]:
    """Read the weights of a prompt; neighbours of the same weight are one segment.

    In linear time, however deep brackets are nested.
    """
    pieces: list[Segment | _Group] = []
    opened: list[tuple[str, int]] = []  # the bracket, and the start of its content in `pieces`
    for match in _TOKEN.finditer(prompt):
        token = match.group()
        if token in {"(", "["}:
            pieces.append(Segment(token))  # text, until its partner is found
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


def _close(pieces: list[Segment | _Group], opened: list[tuple[str, int]], weight: float) -> None:
    """Make a group of everything since the innermost open bracket, without the bracket."""
    _, start = opened.pop()
    pieces[start - 1 :] = [_Group(pieces[start:], weight)]


def _flat(pieces: Sequence[Segment | _Group]) -> Iterator[Segment]:
    """Yield the pieces with all their weights, without recursion."""
    levels = [(iter(pieces), 1.0)]
    while levels:
        rest, weight = levels[-1]
        piece = next(rest, None)
        if piece is None:
            levels.pop()
        elif isinstance(piece, _Group):
            levels.append((iter(piece.pieces), weight * piece.weight))
        else:
            yield Segment(piece.text, piece.weight * weight)


def _merged(pieces: Sequence[Segment | _Group]) -> list[Segment]:
    """Join neighbours of the same weight."""
    clamped = (
        (max(-MAX_WEIGHT, min(MAX_WEIGHT, piece.weight)), piece.text) for piece in _flat(pieces)
    )
    return [
        Segment("".join(text for _, text in same), weight)
        for weight, same in itertools.groupby(clamped, key=operator.itemgetter(0))
    ]
