"""The common part of all endpoints, in the contract's order.

Rate limits, the body against its schema (all errors at once), required headers, then the handler;
its answer goes through the field mask and becomes JSON. The description of each operation is kept
with its handler, for the OpenAPI document.
"""

import functools
import inspect
import json
import re
import unicodedata
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, cast
from uuid import UUID

from pydantic import JsonValue
from quart import Response, after_this_request, request
from quart.typing import ResponseTypes

from core.api import bodies, callers, context, fields, limits
from core.api.kept import Encoded
from core.api.limits import Counted, Limit
from core.errors import Invalid
from core.users import shared_keys
from core.users.tables import ANONYMOUS_KEY
from core.wire import validation
from core.wire.limits import max_bytes
from core.wire.model import Answer, Request, to_data, to_json

JSON_TYPE = "application/json; charset=utf-8"


Answered = Answer | Sequence[Answer] | Encoded
Handler = Callable[..., Awaitable[Answered | tuple[Answered, int] | Response]]
Rule = Callable[[], Counted | Awaitable[Counted]]

_ALIAS: Final = re.compile(r"/api(?=/v2/)|/api/(?:v1|latest)(?=/)")
"""The prefixes of a path's aliases: version 2 is also at /v2, version 1 without a prefix."""


class NulByteInPayload(Invalid):
    """No text has a NUL character; PostgreSQL could not even store it."""

    code = "NulByteInPayload"


class NotJson(ValueError):
    """The body is not JSON, or not declared as JSON."""


@dataclass(frozen=True, slots=True)
class Operation:
    """The arguments and answers of an endpoint."""

    body: type[Request] | None
    answers: Mapping[int, Any]
    """By status: the answer's model, a list of it, or the union of an event stream's."""
    omit_nulls: bool
    key_required: bool
    query: Mapping[str, str] = field(default_factory=dict)
    """Descriptions of query arguments."""
    errors: Sequence[int] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    """Descriptions of request headers that only this operation has."""
    summary: str = ""


def generating() -> Counted:
    """GEN: asking for something."""
    return limits.for_generate(
        address=context.address(),
        method=request.method,
        path=_path(),
        api_key=str(shared_keys.parse(context.api_key()) or context.api_key()),
        anonymous=context.api_key() == ANONYMOUS_KEY,
        relaxed=context.is_relaxed(),
    )


def by_user(*each: Limit, relaxed: Sequence[Limit]) -> Rule:
    """By user and path; by address if the key is unknown, so that made-up keys gain nothing.

    relaxed: instead, for the addresses of services and the trusted.
    """

    async def count() -> Counted:
        bounds = relaxed if context.is_relaxed() else each
        user_id = await callers.user_id()
        if user_id is None:
            return limits.for_address(*bounds, address=context.address(), resource=_path())
        return limits.for_user(*bounds, user_id=user_id, path=_path())

    return count


def styling() -> Counted:
    """STYLE: styles and collections."""
    return limits.for_style(address=context.address(), method=_method(), path=_path())


def by_path(*each: Limit) -> Rule:
    """PATH n: by address and path with its parameters."""
    return lambda: limits.for_path(*each, address=context.address(), method=_method(), path=_path())


def by_address(*each: Limit) -> Callable[[], Counted]:
    """IP n: by address and resource. Without limits: DEF."""
    return lambda: limits.for_address(*each, address=context.address(), resource=_resource())


def _method() -> str:
    """HEAD costs as much as GET, so it counts as one."""
    return "GET" if request.method == "HEAD" else request.method


def _resource() -> str:
    """The path that is called, the same for all its aliases."""
    return _ALIAS.sub("", str(request.url_rule), count=1)


def _path() -> str:
    """The path that is called, with its parameters in one spelling."""
    given = (request.view_args or {}).values()
    return " ".join([_resource(), *(_canonical(str(value)) for value in given)])


def _canonical(text: str) -> str:
    """The one spelling of an id or a name that can be written in several ways."""
    folded = unicodedata.normalize("NFKC", text).casefold().strip()
    if folded.isdecimal():
        return folded.lstrip("0") or "0"
    with suppress(ValueError):
        return str(UUID(folded))
    return folded


def operation(
    *,
    answers: Mapping[int, Any],
    body: type[Request] | None = None,
    limit: Rule | None = None,
    omit_nulls: bool = False,
    key_required: bool = False,
    query: Mapping[str, str] | None = None,
    errors: Sequence[int] = (),
    headers: Mapping[str, str] | None = None,
) -> Callable[[Handler], Callable[..., Awaitable[Response]]]:
    """Make a handler an endpoint.

    The handler gets the parsed body, if there is one, and the path's parameters; it returns an
    answer, or a pair of answer and status (by default the first of `answers`). An event stream is
    returned as a response.
    limit: None if the endpoint is exempt.
    """
    first = next(iter(answers))

    def decorate(handler: Handler) -> Callable[..., Awaitable[Response]]:
        summary = (handler.__doc__ or "").strip().partition("\n")[0]

        @bodies.of_size(max_bytes(body))
        @functools.wraps(handler)
        async def respond(**path: str) -> Response:
            await context.believe_service()
            if limit is not None and (refused := await limited(limit)) is not None:
                return refused
            if any("\0" in value for value in (*path.values(), *request.args.values())):
                raise NulByteInPayload("The path or the query has a NUL character in it.")
            mask = _mask()
            arguments = [await _body(body)] if body is not None else []
            if key_required and not context.api_key():
                missing = {"apikey": "Missing required parameter in the HTTP headers"}
                raise validation.InvalidBody(missing)
            result = await handler(*arguments, **path)
            if isinstance(result, Response):
                return result
            if isinstance(result, tuple):
                answer, status = cast("tuple[Answered, int]", result)
            else:
                answer, status = result, first
            return _answer(answer, status, mask, omit_nulls=omit_nulls)

        respond.operation = Operation(  # type: ignore[attr-defined]
            body, answers, omit_nulls, key_required, query or {}, errors, headers or {}, summary
        )
        return respond

    return decorate


async def limited(limit: Rule) -> Response | None:
    """Count the call. Returns the refusal if it is one too many. All answers show the limit."""
    server = context.server()
    if server.settings.rate_limits == "off":
        return None
    counted = limit()
    if inspect.isawaitable(counted):
        counted = await counted
    verdict = await server.limiter.hit(counted)

    @after_this_request
    async def _tell(response: ResponseTypes) -> ResponseTypes:
        response.headers.update(verdict.headers())
        return response

    return None if verdict.allowed else _response({"message": verdict.message}, 429)


def _mask() -> fields.Mask | None:
    text = request.headers.get("X-Fields")
    return fields.parse(text) if text else None


async def _body(model: type[Request]) -> Request:
    if request.mimetype != "application/json":
        raise NotJson(
            "Did not attempt to load JSON data because the request Content-Type was not "
            "'application/json'."
        )
    raw = cast("bytes", await request.get_data(parse_form_data=False))
    try:
        parsed = validation.parse(model, raw)
    except validation.MalformedBody as error:
        raise NotJson(f"The body is not JSON: {error}") from None
    if rb"\u0000" in raw and has_nul(json.loads(raw)):
        raise NulByteInPayload("A text in the request has a NUL character in it.")
    return parsed


def has_nul(value: JsonValue) -> bool:
    """Whether a text anywhere in it has a NUL character."""
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(has_nul(one) for pair in value.items() for one in pair)
    return isinstance(value, list) and any(has_nul(one) for one in value)


def _answer(
    answer: Answered,
    status: int,
    mask: fields.Mask | None,
    *,
    omit_nulls: bool,
) -> Response:
    if mask is None and isinstance(answer, Encoded):
        tag = {"ETag": answer.etag}
        if answer.is_known(request.headers.get("If-None-Match")):
            return Response(b"", 304, tag)
        return Response(answer, status, tag, content_type=JSON_TYPE)
    if mask is None:
        content = to_json(cast("Answer | Sequence[Answer]", answer), omit_nulls=omit_nulls)
        return Response(content, status, content_type=JSON_TYPE)
    if isinstance(answer, Encoded):
        return _response(fields.apply(mask, json.loads(answer)), status)
    return _response(fields.apply(mask, to_data(answer, omit_nulls=omit_nulls)), status)


def _response(data: object, status: int) -> Response:
    return Response(json.dumps(data), status, content_type=JSON_TYPE)
