"""Reads a request's body, and reports everything that is wrong with it at once."""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from core.wire.model import Request

R = TypeVar("R", bound=Request)

SHOWN_CHARACTERS: Final = 100
"""An error repeats at most this much of what was sent (a picture may be megabytes)."""
MAX_ERRORS: Final = 100
"""The most errors reported for one body."""
MAX_VALUES: Final = 300_000
"""Values in a body: far more than a valid one has, and few enough to be read quickly."""


class MalformedBody(ValueError):
    """The body is not JSON. The text says where it stops being JSON."""


class InvalidBody(ValueError):
    """The body is JSON, but not valid for the request.

    errors: what is wrong, by dotted path (`params.width`, `models.0`).
    """

    def __init__(self, errors: dict[str, str]) -> None:
        """Keep the errors; all of them must be about the body."""
        super().__init__("; ".join(f"{path}: {text}" for path, text in errors.items()))
        self.errors = errors


def parse(model: type[R], body: bytes) -> R:
    """Read the body of a request.

    Raises MalformedBody if it is not JSON, InvalidBody if it breaks the model's rules.
    """
    check_size(body)
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        if error.error_count() == 1:
            (only,) = error.errors(include_url=False, include_input=False)
            if only["type"] == "json_invalid":
                raise MalformedBody(only["msg"]) from None
        raise InvalidBody(errors_of(error)) from None


def check_size(body: bytes) -> None:
    """Raise InvalidBody for JSON with so many values that reading it would delay everybody else.

    They are counted by their separators, of which base64 has none.
    """
    if len(body) > MAX_VALUES and sum(map(body.count, (b",", b"[", b"{"))) > MAX_VALUES:
        raise InvalidBody({"": f"there are more than {MAX_VALUES} values in it"})


def errors_of(error: ValidationError) -> dict[str, str]:
    """Say what is wrong, by dotted path, in the manner of JSON Schema; the first for each path.

    At most MAX_ERRORS are returned. Validation stops at the limits of lists, so there are never
    many more to leave out.
    """
    found: dict[str, str] = {}
    for one in islice(error.errors(include_url=False), MAX_ERRORS):
        path = ".".join(str(step) for step in one["loc"])
        found.setdefault(path, _text(one))
    return found


def _text(error: Mapping[str, Any]) -> str:
    write = _TEXTS.get(error["type"])
    if write is None:
        return str(error["msg"])
    name = error["loc"][-1] if error["loc"] else ""
    return write(_shown(error["input"]), error.get("ctx", {}), name)


def _shown(value: object) -> str:
    """The beginning of the `repr`; no more of a value is read than is shown."""
    text = ""
    for piece in _pieces(value):
        text += piece
        if len(text) > SHOWN_CHARACTERS:
            return f"{text[:SHOWN_CHARACTERS]}..."
    return text


def _pieces(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for index, (name, inner) in enumerate(value.items()):
            yield ", " if index else "{"
            yield f"{_beginning(name)!r}: "
            yield from _pieces(inner)
        yield "}" if value else "{}"
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield ", " if index else "["
            yield from _pieces(inner)
        yield "]" if value else "[]"
    else:
        yield repr(_beginning(value))


def _beginning(value: object) -> object:
    return value[: SHOWN_CHARACTERS + 1] if isinstance(value, str) else value


def _wrong_type(name: str) -> Callable[[str, Mapping[str, Any], object], str]:
    return lambda shown, _, __: f"{shown} is not of type '{name}'"


_TEXTS: Final[dict[str, Callable[[str, Mapping[str, Any], object], str]]] = {
    "missing": lambda _, __, name: f"'{name}' is a required property",
    "string_type": _wrong_type("string"),
    "bool_type": _wrong_type("boolean"),
    "int_type": _wrong_type("integer"),
    "float_type": _wrong_type("number"),
    "finite_number": _wrong_type("number"),
    "list_type": _wrong_type("array"),
    "dict_type": _wrong_type("object"),
    "model_type": _wrong_type("object"),
    "greater_than_equal": lambda shown, limits, _: (
        f"{shown} is less than the minimum of {limits['ge']}"
    ),
    "less_than_equal": lambda shown, limits, _: (
        f"{shown} is greater than the maximum of {limits['le']}"
    ),
    "multiple_of": lambda shown, limits, _: f"{shown} is not a multiple of {limits['multiple_of']}",
    "string_too_short": lambda shown, _, __: f"{shown} is too short",
    "string_too_long": lambda shown, _, __: f"{shown} is too long",
    "too_long": lambda shown, limits, _: (
        f"{shown} is too long: {limits['max_length']} are the most"
    ),
    "literal_error": lambda shown, limits, _: (
        f"{shown} is not one of [{limits['expected'].replace(' or ', ', ')}]"
    ),
}
