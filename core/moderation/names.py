"""Cleaning and checking names and descriptions that everybody sees, before they are stored.

Invisible characters are removed: a control character moves a terminal's cursor, a change of writing
direction makes one name look like another. A short list of words (profanity.txt), compared with
whole words, decides what is obscene or a slur: names of workers are better refused too rarely than
too often, and moderators can rename the rest.
"""

import re
import unicodedata
from functools import cache
from pathlib import Path

LETTERS = str.maketrans("013457@$!|", "oieastasil")
"""The letters that disguised characters stand for."""

_DRAWN_OUT = re.compile(r"(.)\1{2,}")
_BREAKS = re.compile(r"[^a-z]+")
_SPELLED = re.compile(r"\b[a-z](?: [a-z]\b){2,}")


LINES = frozenset("\n\t")
"""The control characters that a text of several lines may have."""


def clean(name: str) -> str:
    """The name on one line, without invisible characters; runs of blanks become one.

    Control and format characters are removed (categories C*: an escape sequence, a change of
    writing direction, a lone surrogate, which PostgreSQL could not even store).
    """
    spaced = "".join(" " if character.isspace() else character for character in name)
    return " ".join(_seen(spaced).split())


def clean_text(text: str) -> str:
    """The same for a text that may have several lines and any blanks."""
    return _seen(text, but=LINES)


def _seen(text: str, *, but: frozenset[str] = frozenset()) -> str:
    if text.isprintable():
        return text
    return "".join(c for c in text if c in but or not unicodedata.category(c).startswith("C"))


def is_profane(text: str) -> bool:
    """Whether a word of the text is on the list, even disguised: "F.u.c.k", "$h1t", "fuuuck"."""
    return any(word in _profane() for word in _words(text))


def _words(text: str) -> set[str]:
    """The text's words without accents, as they are, and with disguises and repetitions undone."""
    decomposed = unicodedata.normalize("NFKD", clean(text).casefold())
    plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    found: set[str] = set()
    for version in (plain, plain.translate(LETTERS)):
        spaced = _BREAKS.sub(" ", version)
        joined = _SPELLED.sub(lambda match: match.group().replace(" ", ""), spaced)
        for letters in (r"\1\1\1", r"\1\1", r"\1"):
            found.update(_DRAWN_OUT.sub(letters, f"{spaced} {joined}").split())
    return found


@cache
def _profane() -> frozenset[str]:
    lines = Path(__file__).with_name("profanity.txt").read_text().splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))
