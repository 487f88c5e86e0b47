"""Limits of requests: types of limited size, and how large a body can be.

No known client is refused: limits are far beyond what is useful, and where the contract cuts long
values, they are far beyond the cut.
"""

import json
import math
from functools import cache
from typing import Annotated, Any, Final, get_args

from pydantic import AfterValidator, Field, JsonValue
from pydantic_core import PydanticCustomError

from core.wire.model import Request
from core.wire.scalars import LARGEST, String

MAX_NAME_CHARS: Final = 255
MAX_NAMES: Final = 300
"""The most models, workers and the like that a request names."""
MAX_OFFERED: Final = 5000
"""The most models, words and the like in a pop; all but the first few hundred are dropped."""
MAX_LIST: Final = 100
"""The most entries of any other list."""
MAX_METADATA: Final = 1000
MAX_REASON_CHARS: Final = 500
MAX_TEXT_CHARS: Final = 1000
MAX_MESSAGE_CHARS: Final = 10_240
MAX_PROMPT_CHARS: Final = 200_000
"""Characters of a picture's prompt, which has at most 7,500 words; filters read half as much."""
MAX_TEXT_PROMPT_CHARS: Final = 2**20
"""Characters of a text's prompt; a request's `max_context_length` allows less."""
MAX_TEXT_RESULT_CHARS: Final = 2**17
"""Characters of a written text: 4,096 tokens of 32 characters each."""
MAX_PICTURE_CHARS: Final = 2**26
"""Characters of base64 for a picture. The server's own limit on bodies is lower."""
MAX_FREE_CHARS: Final = 10_000
"""Characters of JSON of an object that only workers interpret."""
MAX_RESULT_CHARS: Final = 2**18
"""Characters of JSON of what was found out about a picture."""
MAX_DEPTH: Final = 20
"""How deep lists and objects may be nested in such an object."""

MAX_PLAIN_BYTES: Final = 2**19
"""Bytes of a body, besides its long texts."""
BYTES_PER_CHAR: Final = 6
"""Bytes of an escaped character in JSON."""


class Sent:
    """Marks a text that may be a whole picture."""


class Unwelcome:
    """Marks a field that refuses pictures, so that a body needs no room for them."""


def _picture_or_none(value: str | None) -> str | None:
    return value or None


Name = Annotated[String, Field(max_length=MAX_NAME_CHARS)]
"""A name or an id."""
Names = Annotated[list[Name], Field(max_length=MAX_NAMES)]
Text = Annotated[String, Field(max_length=MAX_TEXT_CHARS)]
Offered = Annotated[list[Text], Field(max_length=MAX_OFFERED)]
"""Each of these is also cut if it is too long."""
Message = Annotated[String, Field(max_length=MAX_MESSAGE_CHARS)]
Reason = Annotated[String, Field(max_length=MAX_REASON_CHARS)]
Prompt = Annotated[String, Field(max_length=MAX_PROMPT_CHARS)]
Picture = Annotated[String, Field(max_length=MAX_PICTURE_CHARS), Sent()]
"""Base64, or a URL."""

EMPTY_IS_NONE: Final = AfterValidator(_picture_or_none)
"""Comes last, as in `Annotated[Maybe[Picture], EMPTY_IS_NONE]`: an empty text means no picture."""


class Bounded:
    """The validators of free objects, by their most characters of JSON."""

    def __init__(self, max_chars: int) -> None:
        """max_chars: of the object's JSON."""
        self.max_chars = max_chars

    def __call__(self, value: dict[str, Any]) -> dict[str, Any]:
        """Return the object; raise if it is too large, too deep or could not be stored."""
        if reason := _unstorable(value, MAX_DEPTH):
            raise PydanticCustomError("unstorable", "{reason}", {"reason": reason})
        if len(json.dumps(value, ensure_ascii=False)) > self.max_chars:
            reason = f"it has more than {self.max_chars} characters of JSON"
            raise PydanticCustomError("unstorable", "{reason}", {"reason": reason})
        return value


def _unstorable(value: JsonValue, depth: int) -> str | None:
    """Say what keeps a database from storing the value, if something does."""
    if isinstance(value, dict | list):
        if depth == 0:
            return f"it is nested more than {MAX_DEPTH} deep"
        inner = value.values() if isinstance(value, dict) else value
        reasons = (_unstorable(one, depth - 1) for one in inner)
        return next((reason for reason in reasons if reason), None)
    is_storable = math.isfinite(value) if isinstance(value, float) else True
    if not is_storable or (isinstance(value, int) and abs(value) > LARGEST):
        return "a number in it is too large, or none"
    return None


FreeObject = Annotated[dict[str, JsonValue], AfterValidator(Bounded(MAX_FREE_CHARS))]
"""Parameters that only workers interpret."""
ResultObject = Annotated[dict[str, JsonValue], AfterValidator(Bounded(MAX_RESULT_CHARS))]
"""What was found out about a picture."""


@cache
def max_bytes(model: type[Request] | None) -> int | None:
    """How large the body of such a request may be; None if only the server's limit counts.

    Small, unless it can have a picture or a long text in it.
    """
    size = MAX_PLAIN_BYTES
    for field in model.model_fields.values() if model is not None else ():
        if _takes_pictures(field.annotation, *field.metadata):
            return None
        if field.annotation is str:
            size += BYTES_PER_CHAR * max(getattr(rule, "max_length", 0) for rule in field.metadata)
    return size


def _takes_pictures(*parts: object) -> bool:
    """Whether a picture may be in a value of such parts of a type, as far down as they go."""
    if any(isinstance(part, Unwelcome) for part in parts):
        return False
    return any(isinstance(part, Sent) or _holds_pictures(part) for part in parts)


def _holds_pictures(part: object) -> bool:
    if isinstance(part, type) and issubclass(part, Request):
        return max_bytes(part) is None
    return _takes_pictures(*get_args(part), *getattr(part, "__metadata__", ()))
