"""The scalar types of the wire, and fields that may be absent.

Requests follow JSON Schema (draft 4): a boolean is never a number, a number never a string, and a
whole float counts as an integer.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Annotated, Any, Final, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    Strict,
    StrictBool,
    StrictInt,
    StrictStr,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

T = TypeVar("T")
H = TypeVar("H", bound=Hashable)

LARGEST: Final = 2**63 - 1
"""The bounds of integers in requests: databases store eight bytes."""


def _whole(value: object) -> object:
    """Turn 64.0 into 64, and refuse numbers that eight bytes cannot hold."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and abs(value) > LARGEST:
        side = ("greater", "maximum") if value > 0 else ("less", "minimum")
        limit = LARGEST if value > 0 else -LARGEST
        text = f"the number is {side[0]} than the {side[1]} of {limit}"
        raise PydanticCustomError("integer_size", "{text}", {"text": text})
    return value


def _distinct(values: list[H]) -> list[H]:
    if len(set(values)) != len(values):
        raise PydanticCustomError(
            "not_distinct", "{values} has non-unique elements", {"values": str(values)}
        )
    return values


def _read_date(value: object) -> object:
    """Read `Tue, 24 Nov 2026 16:47:31 -0000`; anything else is left for pydantic to judge."""
    if not isinstance(value, str):
        return value
    try:
        read = parsedate_to_datetime(value)
    except ValueError:
        return value
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read


def _write_date(value: datetime) -> str:
    """Write RFC 822 with a literal -0000, which `email.utils` uses for naive times."""
    return format_datetime(value.astimezone(UTC).replace(tzinfo=None))


def _is_none(value: object) -> bool:
    return value is None


def _no_default(schema: dict[str, Any]) -> None:
    """A field that is never null has no default in the documentation."""
    schema.pop("default", None)


class _NotNull:
    """Refuses an explicit null in JSON, while code may still use None for "absent"."""

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        nullable = handler(source)
        if nullable["type"] != "nullable":
            raise TypeError(f"Maybe[...] wraps a type that may be None, not {source!r}")
        return core_schema.json_or_python_schema(
            json_schema=nullable["schema"], python_schema=nullable
        )


@dataclass(frozen=True)
class Known:
    """Documents the known values of a string in an answer without refusing new ones."""

    literal: object

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(schema), "enum": list(get_args(self.literal))}


WHOLE: Final = BeforeValidator(_whole)
"""Comes last, as in `Annotated[StrictInt, Field(ge=1), WHOLE]`: pydantic then checks the range."""

String = StrictStr
Boolean = StrictBool
Integer = Annotated[StrictInt, WHOLE]
Number = Annotated[float, Strict()]

Maybe = Annotated[T | None, _NotNull(), Field(exclude_if=_is_none, json_schema_extra=_no_default)]
"""A field of a request that may be absent but not null."""

Omitted = Annotated[T | None, Field(exclude_if=_is_none)]
"""A field of an answer that is left out if it is None, whatever the endpoint does with null."""

MAX_DISTINCT: Final = 100
Distinct = Annotated[
    list[H],
    Field(max_length=MAX_DISTINCT, json_schema_extra={"uniqueItems": True}),
    AfterValidator(_distinct),
]
"""A list of a request without duplicates."""

Rfc822Date = Annotated[
    datetime,
    BeforeValidator(_read_date),
    PlainSerializer(_write_date, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "rfc822"}),
]
"""An aware time, written like `Tue, 24 Nov 2026 16:47:31 -0000` (whole seconds)."""
