"""Make a text comparable: what people do to hide a word from a filter is undone.

Weights (`(word:1.2)`), accents, look-alike letters of Unicode, invisible characters, punctuation
and spaced-out letters (`w o r d`, `w.o.r.d`) go; what is left is lower case with single blanks.
All of it takes time linear in the text.
"""

import re
import unicodedata

_WEIGHT = re.compile(r":\s{0,3}[+-]?\d{0,4}\.?\d{1,4}\s{0,3}(?=\))")
_NO_WORD = re.compile(r"[\W_]+")
_SPACED_OUT = re.compile(r"(?<!\S)(?:[^\W\d] ){2,}[^\W\d](?!\S)")


def normalise(text: str) -> str:
    """The text as filters compare it."""
    unweighted = _WEIGHT.sub("", text)
    apart = unicodedata.normalize("NFKD", unweighted)
    seen = "".join(c for c in apart if unicodedata.category(c) not in _INVISIBLE).casefold()
    words = _NO_WORD.sub(" ", seen).strip()
    return _SPACED_OUT.sub(lambda found: found.group().replace(" ", ""), words)


_INVISIBLE = {"Mn", "Me", "Cf", "Cs", "Co", "Cn"}
"""Marks on letters (accents), and what cannot be seen or stored. Control characters are blanks."""
