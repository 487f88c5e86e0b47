"""A guild's blocklists: words, regular expressions, models, styles.

Expressions are matched by RE2, in time proportional to the text whatever the expression is.
"""

import re
from functools import lru_cache
from typing import Any, Final

import re2

from bot.refusals import Refused
from bot.store.guilds import Rules
from bot.wanted import Wanted
from bot.words import plain

MAX_PATTERN: Final = 300
MAX_MEMORY: Final = 1 << 20


def check(rules: Rules, wanted: Wanted) -> None:
    """Raise Refused if something of it is blocked. The word is not repeated in public."""
    prompt = " ".join(part for part in (wanted.prompt, wanted.negative) if part)
    if rules.words and _words(tuple(rules.words)).search(prompt):
        raise Refused("This server does not want a word of that prompt. Ask for something else.")
    if any(compiled(pattern).search(prompt) for pattern in rules.patterns):
        raise Refused("This server does not want such prompts. Ask for something else.")
    if wanted.model and wanted.model.casefold() in {name.casefold() for name in rules.models}:
        raise Refused(f"This server does not allow the model {plain(wanted.model)}.")
    if wanted.style and wanted.style.casefold() in {name.casefold() for name in rules.styles}:
        raise Refused(f"This server does not allow the style {plain(wanted.style)}.")


@lru_cache(maxsize=500)
def compiled(pattern: str) -> Any:  # noqa: ANN401 - of a module without types
    """A compiled expression. Raises Refused where it is none, or too large."""
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = MAX_MEMORY
    if len(pattern) > MAX_PATTERN:
        raise Refused(f"An expression has at most {MAX_PATTERN} characters.")
    try:
        return re2.compile(pattern, options)
    except re2.error:
        raise Refused("That is no regular expression that RE2 knows.") from None


@lru_cache(maxsize=200)
def _words(words: tuple[str, ...]) -> re.Pattern[str]:
    """Whole words in any case; all of them are literal, so that matching is fast."""
    alternatives = "|".join(re.escape(word) for word in words)
    return re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)", re.IGNORECASE)
