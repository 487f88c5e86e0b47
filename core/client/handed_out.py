"""Finds the jobs in an unreadable answer to a pop, so that none of them is left behind."""

import json
from collections.abc import Iterator
from typing import Any, Final

from pydantic import ValidationError

MAX_IDS: Final = 100
MAX_ID_CHARS: Final = 255
MAX_FIELDS: Final = 3
"""How many fields a complaint names."""
MAX_FIELD_CHARS: Final = 40


def ids(content: bytes) -> list[str]:
    """The ids of the jobs that an answer hands out, of any kind."""
    try:
        # Numbers are of no interest, and those of thousands of digits cannot be read.
        answer = json.loads(content, parse_int=_no_number, parse_float=_no_number)
    except (ValueError, RecursionError):
        return []
    found = (one for one in _ids(answer) if isinstance(one, str) and 0 < len(one) <= MAX_ID_CHARS)
    return list(dict.fromkeys(found))[:MAX_IDS]


def complaint(error: Exception) -> str:
    """Say what is wrong with an answer, without repeating its content."""
    if not isinstance(error, ValidationError):
        return "the job cannot be read"
    told = error.errors(include_url=False, include_context=False, include_input=False)
    fields = (".".join(str(part) for part in one["loc"])[:MAX_FIELD_CHARS] for one in told)
    named = [
        f"{field}: {one['msg']}" if field else one["msg"]
        for field, one in zip(fields, told, strict=True)
    ]
    return f"the job cannot be read: {'; '.join(named[:MAX_FIELDS])}"


def _no_number(_: str) -> None:
    """Stands for any number."""


def _ids(answer: Any) -> Iterator[Any]:  # noqa: ANN401 - any JSON
    if not isinstance(answer, dict):
        return
    several = answer.get("ids")
    yield from several if isinstance(several, list) else ()
    yield answer.get("id")
    forms = answer.get("forms")
    for form in forms if isinstance(forms, list) else ():
        yield form.get("id") if isinstance(form, dict) else None
