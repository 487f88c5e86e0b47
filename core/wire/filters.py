"""`/api/v2/filters`: the filters that prompts are searched for."""

from typing import Annotated

from pydantic import Field, StrictInt

from core.wire.limits import Message, Prompt
from core.wire.model import Answer, Request
from core.wire.scalars import WHOLE, Maybe, String

FilterType = Annotated[StrictInt, Field(ge=10, le=29), WHOLE]
"""10 and 11: context of minors; 12 (ours): stricter words; 20: sexual context."""


MAX_REGEX_CHARS = 20_000


class PutNewFilter(Request):
    """A filter to be added."""

    regex: Annotated[String, Field(max_length=MAX_REGEX_CHARS)]
    """A regular expression of RE2; letters match in either case."""
    filter_type: FilterType
    description: Maybe[Message] = None
    replacement: Message = ""
    """What replaces the match in a rewritten prompt (types 10 and 12)."""


class PatchExistingFilter(Request):
    """Changes of a filter."""

    regex: Maybe[Annotated[String, Field(max_length=MAX_REGEX_CHARS)]] = None
    filter_type: Maybe[FilterType] = None
    description: Maybe[Message] = None
    replacement: Message = ""


class FilterTest(Request):
    """A prompt to be searched."""

    prompt: Prompt
    filter_type: FilterType | None = None
    """Only with filters of this type."""


class FilterDetails(Answer):
    """A filter."""

    id: str
    regex: str
    filter_type: int
    description: str | None = None
    replacement: str = ""
    user: str
    """Alias of the moderator who wrote it; `shipped` for those that came with the horde."""


class FilterPromptSuspicion(Answer):
    """The judgement of a prompt."""

    suspicion: str = "0"
    """How many groups of filters it hits; 2 is refused."""
    matches: list[str] = Field(default_factory=list)
    """The matches in it, as filters see them."""


class FilterRegex(Answer):
    """All filters of a type in one expression."""

    filter_type: int
    regex: str
