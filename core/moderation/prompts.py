"""Which prompts are refused, and which are rewritten instead.

A filter belongs to a type:

    10      context of minors; has a replacement                group A
    11      context of minors that no replacement can undo      group A
    12      words that are replaced where the model is made for nudity, or the user is flagged
    20      sexual context                                      group B

A prompt that hits both groups is refused, or rewritten if the requester allows it. Other types are
stored and have no effect. Only the part before `###` is judged: the rest is what the picture must
not show.

Filters fail closed: if none were ever loaded, or one cannot be used, nothing passes.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import select

from core.db import Reading, table
from core.errors import Invalid, Unavailable
from core.features import NEGATIVE
from core.moderation import patterns
from core.moderation.normalise import normalise
from core.moderation.patterns import Match, Pattern
from core.moderation.tables import Filter, FilterRow, FilterVersion

REPLACED, UNDONE_BY_NOTHING, STRICT, SEXUAL = 10, 11, 12, 20
GROUPS = ((REPLACED, UNDONE_BY_NOTHING), (SEXUAL,))
USED = (REPLACED, UNDONE_BY_NOTHING, SEXUAL)
"""The types that `GET filters/regex` returns."""
BLOCKED_AT = 2
MAX_REWRITTEN_CHARS = 7000  # characters
MAX_SCREENED_CHARS = 100_000  # characters
READ_AGAIN = timedelta(seconds=1)
LONG_AGO = datetime.min.replace(tzinfo=UTC)
FORCED_NEGATIVE = "child, infant, underage, immature, teenager, tween"
CHILDREN_AS_EMOJI = re.compile(
    "[\U0001f466\U0001f467\U0001f476\U0001f47c\U0001f6bc\U0001f9d2\U0001f37c]"
)
"""Boy, girl, baby, baby angel, baby symbol, child, baby's bottle."""

_log = structlog.get_logger(__name__)
_filters = table(FilterRow)
_version = table(FilterVersion)


class CorruptPrompt(Invalid):
    """The prompt asks for something that nobody may have, and no rewriting helps."""

    code = "CorruptPrompt"


class PromptTooLong(Invalid):
    """The prompt is longer than filters read."""

    code = "InvalidPromptSize"


class FiltersUnavailable(Unavailable):
    """No prompt can be judged, so none passes."""

    code = "FiltersUnavailable"


@dataclass(frozen=True, slots=True)
class FilterSet:
    """All filters of one version, compiled."""

    by_type: Mapping[int, Pattern]
    """One expression for all filters of a type."""
    replacing: Sequence[tuple[Pattern, str]]
    strictly_replacing: Sequence[tuple[Pattern, str]]

    @classmethod
    def of(cls, filters: Iterable[Filter]) -> "FilterSet":
        """Compile the filters. Raises BadExpression."""
        expressions: dict[int, list[str]] = defaultdict(list)
        replacing: dict[int, list[tuple[Pattern, str]]] = defaultdict(list)
        for one in filters:
            expressions[one.filter_type].append(one.regex)
            if one.filter_type in (REPLACED, UNDONE_BY_NOTHING, STRICT):
                pair = (patterns.compiled(one.regex), one.replacement)
                replacing[one.filter_type].append(pair)
        by_type = {kind: patterns.compiled(patterns.union(e)) for kind, e in expressions.items()}
        strictly = [*replacing[STRICT], *replacing[UNDONE_BY_NOTHING], *replacing[REPLACED]]
        return cls(by_type, replacing[REPLACED], strictly)

    def suspicion(self, prompt: str) -> int:
        """How many groups (0 … 2) the prompt hits."""
        text = _looked_at(prompt)
        hits = [any(self._hits(kind, text) for kind in group) for group in GROUPS]
        hits[0] = hits[0] or _shows_children(prompt)
        return sum(hits)

    def matches(self, prompt: str, filter_type: int | None = None) -> list[str]:
        """The matches of the filters in the prompt: those of one type, or of all types in use."""
        text = _looked_at(prompt)
        kinds = USED if filter_type is None else (filter_type,)
        found = [
            match.group()
            for kind in kinds
            if kind in self.by_type
            for match in self.by_type[kind].finditer(text)
        ]
        return list(dict.fromkeys(found))

    def is_strictly_suspect(self, prompt: str) -> bool:
        """Whether it must be rewritten for a model made for nudity, or a flagged user."""
        text = _looked_at(prompt)
        kinds = (STRICT, *GROUPS[0])
        return _shows_children(prompt) or any(self._hits(kind, text) for kind in kinds)

    def rewritten(self, prompt: str, *, strictly: bool = False) -> str | None:
        """The prompt without the suspect parts, or None if nothing else was in it."""
        _, _, negative = prompt.partition(NEGATIVE)
        text = _looked_at(prompt)
        for pattern, replacement in self.strictly_replacing if strictly else self.replacing:
            text = pattern.sub(partial(_literally, replacement), text)
        text = " ".join(text.split())
        if not text:
            return None
        unwanted = f"{FORCED_NEGATIVE}, {negative.strip()}" if negative.strip() else FORCED_NEGATIVE
        return f"{text} {NEGATIVE} {unwanted}"

    def _hits(self, kind: int, text: str) -> bool:
        return kind in self.by_type and self.by_type[kind].search(text) is not None


class Filters:
    """The filters as this process last read them."""

    def __init__(self) -> None:
        self._read_at = LONG_AGO
        self._version = 0
        self._set: FilterSet | None = None

    async def refresh(self, session: Reading, *, at: datetime) -> None:
        """Read the filters again if they changed; looks at most once a second."""
        if self._read_at <= at < self._read_at + READ_AGAIN:
            return
        version = await session.scalar(select(_version.c.version)) or 0
        if version != self._version:
            self._set = None
            rows = await session.execute(select(_filters).order_by(_filters.c.id))
            try:
                self._set = FilterSet.of(Filter(**row) for row in rows.mappings())
            except patterns.BadExpression as error:
                _log.critical("a stored filter cannot be used: prompts are refused", why=str(error))
            self._version = version
        self._read_at = at

    def forget(self) -> None:
        """Look again next time: they were just changed here."""
        self._read_at = LONG_AGO

    def current(self) -> FilterSet:
        """The filters in effect. Raises FiltersUnavailable."""
        if self._set is None:
            raise FiltersUnavailable(
                "Prompts cannot be checked at present. Please try again later."
            )
        return self._set


def screen(filters: Filters, prompt: str, *, rewrite: bool, always: bool = False) -> str:
    """Judge a prompt. Returns it as it may be asked: itself, or rewritten.

    rewrite: whether the requester lets a prompt be rewritten that would be refused.
    always: whether the model is made for nudity, or the user flagged: stricter words are replaced
        too, whatever the requester wants, so that no refusal reveals them.

    Raises CorruptPrompt, PromptTooLong and FiltersUnavailable.
    """
    current = filters.current()
    if len(prompt) > MAX_SCREENED_CHARS:
        raise PromptTooLong(f"A prompt has at most {MAX_SCREENED_CHARS} characters.")
    if always:
        if not current.is_strictly_suspect(prompt):
            return prompt
        return _or_refused(current.rewritten(prompt, strictly=True))
    if current.suspicion(prompt) < BLOCKED_AT:
        return prompt
    if not rewrite or len(prompt) > MAX_REWRITTEN_CHARS:
        return _or_refused(None)
    changed = current.rewritten(prompt)
    helps = changed is not None and current.suspicion(changed) < BLOCKED_AT
    return _or_refused(changed if helps else None)


def _or_refused(prompt: str | None) -> str:
    if prompt is None:
        raise CorruptPrompt(
            "This prompt appears to violate our terms of service and was refused. This horde "
            "makes no unethical images."
        )
    return prompt


def _literally(replacement: str, _match: Match) -> str:
    """The literal replacement: a backslash in it means nothing."""
    return replacement


def _looked_at(prompt: str) -> str:
    return normalise(prompt.partition(NEGATIVE)[0])


def _shows_children(prompt: str) -> bool:
    return CHILDREN_AS_EMOJI.search(prompt.partition(NEGATIVE)[0]) is not None
