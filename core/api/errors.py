"""All errors, as the contract's JSON."""

import json
from collections.abc import Mapping
from typing import Any

import structlog
from quart import Quart, Response
from werkzeug.exceptions import HTTPException

from core import failures
from core.api.fields import MaskError
from core.api.operation import JSON_TYPE, NotJson
from core.errors import (
    Conflict,
    Forbidden,
    Invalid,
    Locked,
    NotFound,
    Refusal,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from core.wire.validation import InvalidBody

STATUS: Mapping[type[Refusal], int] = {
    Invalid: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Locked: 423,
    TooMany: 429,
    Unavailable: 503,
}

OF_THE_BODY = {"content-type", "content-length"}

_log = structlog.get_logger(__name__)


def status_of(refusal: type[Refusal]) -> int:
    """The HTTP status of a refusal, by its kind."""
    return next(status for kind, status in STATUS.items() if issubclass(refusal, kind))


def register(app: Quart) -> None:
    """Answer all errors of the app as JSON."""

    @app.errorhandler(Refusal)
    async def _refused(refusal: Refusal) -> Response:
        return _json({"message": refusal.message, "rc": refusal.code}, status_of(type(refusal)))

    @app.errorhandler(InvalidBody)
    async def _invalid(error: InvalidBody) -> Response:
        return _json({"errors": error.errors, "message": "Input payload validation failed"}, 400)

    @app.errorhandler(NotJson)
    async def _not_json(error: NotJson) -> Response:
        return _json({"message": str(error)}, 400)

    @app.errorhandler(MaskError)
    async def _bad_mask(error: MaskError) -> Response:
        return _json({"message": str(error)}, 400)

    @app.errorhandler(HTTPException)
    async def _http(error: HTTPException) -> Response:
        return of_http(error)

    @app.errorhandler(Exception)
    async def _crash(error: Exception) -> Response:
        if (why := failures.of_storage(error)) is not None:
            _log.error("storage unavailable", reason=why)
            told = failures.StorageUnavailable("Nothing can be stored at present. Try again later.")
            return _json({"message": told.message, "rc": told.code}, status_of(type(told)))
        _log.error("crash", exc_info=error)
        return _json({"message": "Internal Server Error"}, 500)


def of_http(error: HTTPException) -> Response:
    """An error that the framework raised, as JSON."""
    answer = _json({"message": error.description or error.name}, error.code or 500)
    for name, value in error.get_headers():  # Allow, Retry-After and the like
        if name.lower() not in OF_THE_BODY:
            answer.headers[name] = value
    return answer


def _json(data: dict[str, Any], status: int) -> Response:
    return Response(json.dumps(data), status, content_type=JSON_TYPE)
