"""Limits of bodies: small, unless an endpoint says otherwise.

A body is refused by its announced length before any of it is read; one without a length is cut off
once it has become too large.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from quart import Quart, Request, current_app, request
from quart.wrappers.request import Body
from werkzeug.exceptions import RequestEntityTooLarge

from core.wire.limits import MAX_PLAIN_BYTES

V = TypeVar("V", bound=Callable[..., Any])

_ATTRIBUTE = "max_body_bytes"


class LimitedBody(Body):
    """A body whose limit is known once its endpoint is."""

    def __init__(self, expected_content_length: int | None, max_content_length: int | None) -> None:
        super().__init__(expected_content_length, max_content_length)
        self._announced = expected_content_length or 0

    def limit(self, max_bytes: int) -> None:
        """Take at most this. Raises RequestEntityTooLarge if more has come or is announced."""
        if max(self._announced, len(self._data)) > max_bytes:
            self._must_raise = RequestEntityTooLarge()
            self.clear()
            raise self._must_raise
        self._max_content_length = max_bytes


class LimitedRequest(Request):
    """A request whose body can be limited by its endpoint."""

    body_class = LimitedBody
    body: LimitedBody


def of_size(max_bytes: int | None) -> Callable[[V], V]:
    """Set the limit of an endpoint's body; None: the server's own limit."""

    def decorate(view: V) -> V:
        setattr(view, _ATTRIBUTE, max_bytes)
        return view

    return decorate


def register(app: Quart) -> None:
    """Limit all bodies that the app gets. Its setting MAX_CONTENT_LENGTH applies to all of them."""
    app.request_class = LimitedRequest

    @app.before_request
    async def _limit() -> None:
        view = current_app.view_functions.get(request.endpoint or "")
        most = getattr(view, _ATTRIBUTE, MAX_PLAIN_BYTES)
        if most is not None and isinstance(request.body, LimitedBody):
            request.body.limit(min(most, current_app.config["MAX_CONTENT_LENGTH"]))
