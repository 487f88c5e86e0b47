"""Normalise a text: undo what people do to hide a word from a filter.

Weights (`(word:1.2)`), accents, look-alike letters of Unicode, invisible characters, punctuation
and spaced-out letters (`w o r d`, `w.o.r.d`) are undone; the result is lower case with single
blanks. This takes time linear in the text.
"""

import re
import unicodedata

_WEIGHT = re.compile(r":\s{0,3}[+-]?\d{0,4}\.?\d{1,4}\s{0,3}(?=\))")
_NO_WORD = re.compile(r"[\W_]+")
_SPELLED = re.compile(r"(?<![^\W_])[^\W\d_](?:[\W_][^\W\d_]){2,}(?![^\W_])")
"""Letters separated by one character each; more than one separates words."""


def normalise(text: str) -> str:
    """The text as filters compare it."""
    unweighted = _WEIGHT.sub("", text)
    apart = unicodedata.normalize("NFKD", unweighted)
    seen = "".join(c for c in apart if unicodedata.category(c) not in _INVISIBLE).casefold()
    joined = _SPELLED.sub(lambda found: found.group()[::2], seen)
    return _NO_WORD.sub(" ", joined).strip()


_INVISIBLE = {"Mn", "Me", "Cf", "Cs", "Co", "Cn"}
"""Accents, and characters that cannot be seen or stored. Control characters become blanks."""
