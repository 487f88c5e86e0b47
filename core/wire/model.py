"""What all requests and all answers have in common, and how an answer becomes JSON."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, JsonValue
from pydantic_core import to_json as _to_json
from pydantic_core import to_jsonable_python


class Request(BaseModel):
    """What a client sends. Unknown keys are ignored, at every level.

    `model_fields_set` says which fields were given; the others have the value that the server uses
    if a field is absent.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        defer_build=True,
    )


class Answer(BaseModel):
    """What the server sends.

    `field: X | None` is sent as null or left out as the endpoint says (`omit_nulls` below);
    `field: Omitted[X]` is never null. Strings with known values accept new ones when read.
    """

    model_config = ConfigDict(
        frozen=True,
        defer_build=True,
        extra="ignore",
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        use_attribute_docstrings=True,
    )


def to_json(answer: Answer | Sequence[Answer], *, omit_nulls: bool) -> bytes:
    """Write one answer, or a list of them, as JSON.

    omit_nulls: leave out the answer's own fields that are None. Objects inside it keep theirs,
        except `Omitted` ones, as in the contract.
    """
    if isinstance(answer, Answer):
        return _to_json(answer, exclude=_absent(answer) if omit_nulls else None)
    if not omit_nulls:
        return _to_json(answer)
    return b"[" + b",".join(to_json(one, omit_nulls=True) for one in answer) + b"]"


def to_data(answer: Answer | Sequence[Answer], *, omit_nulls: bool) -> JsonValue:
    """The same as `to_json`, as dicts and lists, for a field mask to cut."""
    if isinstance(answer, Answer):
        data: JsonValue = to_jsonable_python(
            answer, exclude=_absent(answer) if omit_nulls else None
        )
        return data
    return [to_data(one, omit_nulls=omit_nulls) for one in answer]


def request_json(request: Request) -> bytes:
    """Write a request: only what was set, so that the server's own defaults apply to the rest."""
    return request.model_dump_json(exclude_unset=True).encode()


def _absent(answer: Answer) -> set[str]:
    return {name for name, value in answer if value is None}
