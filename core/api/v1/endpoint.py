"""The common part of all endpoints of version 1.

Arguments come from the query string, a form or JSON, the key among them. Success is always 200.
A refusal is a bare JSON text with a status; wrong arguments are listed by name.
"""

import functools
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar, cast, get_origin

from pydantic import JsonValue, ValidationError
from pydantic_core import from_json, to_json
from quart import Blueprint, Response, request
from werkzeug.datastructures import MultiDict

from core.api import bodies
from core.api.errors import status_of
from core.api.kept import Encoded
from core.api.operation import JSON_TYPE, NotJson, Rule, has_nul, limited
from core.errors import Refusal
from core.wire.limits import max_bytes
from core.wire.model import Answer
from core.wire.v1 import Arguments
from core.wire.validation import check_size, errors_of

A = TypeVar("A", bound=Arguments)

Answered = Answer | Sequence[Answer] | Mapping[str, Answer] | Encoded
Handler = Callable[..., Awaitable[Answered]]

STATUS = {
    "MaintenanceMode": 503,
    "NotAdmin": 401,
    "NotModerator": 401,
    "NotOwner": 401,
    "RequestExpired": 500,
    "TooManyPrompts": 503,
    "WrongCredentials": 401,
}
"""Refusals with another status in version 1 than in version 2."""

TEXTS = {
    "RequestNotFound": "ID not found",
    "UserNotFound": "Not found",
    "WorkerNotFound": "Not found",
}
"""The words of version 1, if its clients may compare them."""

MISSING = "Missing required parameter in the JSON body or the post body or the query string"


class WrongArguments(ValueError):
    """Arguments that are missing or not what they should be. errors: what is wrong, by name."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {text}" for name, text in errors.items()))
        self.errors = errors


def endpoint(
    *, limit: Rule, arguments: type[Arguments] | None = None
) -> Callable[[Handler], Callable[..., Awaitable[Response]]]:
    """Make a handler an endpoint, which gets its arguments and those of the path."""

    def decorate(handler: Handler) -> Callable[..., Awaitable[Response]]:
        @bodies.of_size(max_bytes(arguments))
        @functools.wraps(handler)
        async def respond(**path: str) -> Response:
            if (refused := await limited(limit)) is not None:
                return refused
            given = [await _read(arguments)] if arguments is not None else []
            answer = await handler(*given, **path)
            content = answer if isinstance(answer, Encoded) else to_json(answer)
            return Response(content, 200, content_type=JSON_TYPE)

        return respond

    return decorate


def blueprint(name: str) -> Blueprint:
    """A blueprint whose errors have the form of version 1."""
    made = Blueprint(name, __name__)

    @made.errorhandler(Refusal)
    async def _refused(refusal: Refusal) -> Response:
        status = STATUS.get(refusal.code) or status_of(type(refusal))
        return _response(TEXTS.get(refusal.code, refusal.message), status)

    @made.errorhandler(WrongArguments)
    async def _wrong(wrong: WrongArguments) -> Response:
        if request.path.startswith("/api/v1/"):  # other paths are those of v1a only
            told = {"errors": wrong.errors, "message": "Input payload validation failed"}
            return _response(told, 400)
        return _response({"message": wrong.errors}, 400)

    return made


async def _read(model: type[A]) -> A:
    """The arguments that were sent. Their key is put where version 2 reads it."""
    sent = await _sent(model)
    try:
        read = model.model_validate(sent)
    except ValidationError as error:
        raise WrongArguments(_told(error)) from None
    wrong = {name: _unstorable(value) for name, value in read.model_dump().items()}
    if told := {name: text for name, text in wrong.items() if text is not None}:
        raise WrongArguments(told)
    request.headers["apikey"] = " ".join(read.api_key.split())  # a header cannot have line breaks
    return read


async def _sent(model: type[Arguments]) -> dict[str, Any]:
    """The arguments by name: JSON comes before a form, and a form before the query string."""
    raw = cast("bytes", await request.get_data(parse_form_data=False))
    check_size(raw)
    sent = _values(model, request.args)
    if request.is_json or raw.lstrip().startswith(b"{"):  # curl declares JSON as a form
        return sent | _json(raw)
    return sent | _values(model, await request.form)


def _values(model: type[Arguments], sent: MultiDict[str, str]) -> dict[str, Any]:
    """The arguments of a form or a query string; those that are lists may come several times."""
    lists = {
        name for name, field in model.model_fields.items() if get_origin(field.annotation) is list
    }
    return {name: values if name in lists else values[-1] for name, values in sent.lists()}


def _json(raw: bytes) -> dict[str, Any]:
    try:
        read = from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        raise NotJson(f"Failed to decode JSON object: {error}") from None
    if not isinstance(read, dict):
        raise NotJson("Failed to decode JSON object: it has no names")
    return read


def _unstorable(value: JsonValue) -> str | None:
    """Why no database could store a value of unknown type."""
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return "a number in it is too large"
    return "a text in it has a NUL character" if has_nul(value) else None


def _told(error: ValidationError) -> dict[str, str]:
    """The errors of each argument, by its name."""
    plain = error.errors(include_url=False, include_input=False)
    missing = {str(one["loc"][0]) for one in plain if one["type"] == "missing"}
    told: dict[str, str] = {}
    for path, text in errors_of(error).items():
        name = path.partition(".")[0]
        told.setdefault(name, MISSING if name in missing else text)
    return told


def _response(data: object, status: int) -> Response:
    return Response(json.dumps(data), status, content_type=JSON_TYPE)
