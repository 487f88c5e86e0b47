"""What is done to names and descriptions that everybody sees, before they are stored.

What cannot be seen is left out of them: a control character moves a terminal's cursor, a change of
writing direction makes one name look like another. Whether they are obscene or a slur is looked up
in a short list of words (profanity.txt), against whole words: what people call their workers is
better refused too rarely than too often, and moderators can rename the rest.
"""

import re
import unicodedata
from functools import cache
from pathlib import Path

LETTERS = str.maketrans("013457@$!|", "oieastasil")
"""What characters in disguise look like."""

_DRAWN_OUT = re.compile(r"(.)\1{2,}")
_BREAKS = re.compile(r"[^a-z]+")
_SPELLED = re.compile(r"\b[a-z](?: [a-z]\b){2,}")


LINES = frozenset("\n\t")
"""The control characters that a text of several lines has."""


def clean(name: str) -> str:
    """The name on one line, without what cannot be seen; blanks in a row become one.

    Control and format characters go (categories C*: an escape sequence, a change of writing
    direction, a lone surrogate, which PostgreSQL could not even store).
    """
    spaced = "".join(" " if character.isspace() else character for character in name)
    return " ".join(_seen(spaced).split())


def clean_text(text: str) -> str:
    """The same of a text that may have several lines and blanks as it likes."""
    return _seen(text, but=LINES)


def _seen(text: str, *, but: frozenset[str] = frozenset()) -> str:
    if text.isprintable():
        return text
    return "".join(c for c in text if c in but or not unicodedata.category(c).startswith("C"))


def is_profane(text: str) -> bool:
    """Whether a word of the text is on the list, also in disguise: "F.u.c.k", "$h1t", "fuuuck"."""
    return any(word in _profane() for word in _words(text))


def _words(text: str) -> set[str]:
    """The text's words without accents, as they are and as they look: in disguise, drawn out."""
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
