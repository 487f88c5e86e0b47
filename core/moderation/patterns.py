"""Regular expressions that always match in time linear in the text (RE2).

There are no look-arounds and no back-references, which make other engines slow.
Letters match in either case.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, cast

import re2

from core.errors import Invalid

MAX_CHARS = 10_000  # characters of one expression
MEMORY_BYTES = 8 << 20  # of one compiled expression


class BadExpression(Invalid):
    """The text is not a regular expression that can be used here."""

    code = "BadRequest"


class Match(Protocol):
    """A match, as in `re`."""

    def group(self) -> str:
        """What matched."""


class Pattern(Protocol):
    """A compiled expression, as in `re`."""

    def search(self, text: str) -> Match | None:
        """The first match."""

    def finditer(self, text: str) -> Iterator[Match]:
        """All matches."""

    def sub(self, replacement: Callable[[Match], str], text: str) -> str:
        """The text with all matches replaced."""


def compiled(expression: str) -> Pattern:
    """Compile the expression. Raises BadExpression."""
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = MEMORY_BYTES
    try:
        return cast("Pattern", re2.compile(expression, options))
    except (re2.error, UnicodeEncodeError) as error:
        reason = error.args[0] if isinstance(error, re2.error) else b"a lone surrogate"
        said = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise BadExpression(f"This is not a regular expression of RE2: {said}") from None


def check(expression: str) -> None:
    """Raise BadExpression if it is too long, malformed, or matches any text at all."""
    if len(expression) > MAX_CHARS:
        raise BadExpression(f"A regular expression has at most {MAX_CHARS} characters.")
    if compiled(expression).search("") is not None:
        raise BadExpression("This expression matches the empty text, and so every prompt.")


def union(expressions: Iterable[str]) -> str:
    """One expression that matches what any of these does; empty for none."""
    return "|".join(f"(?:{expression})" for expression in expressions)
