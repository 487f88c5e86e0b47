"""Limits of bodies: small, unless an endpoint says otherwise.

A body is refused by its announced length before any of it is read; one without a length is cut off
once it has become too large. Of large ones only so much is in memory at once: of each address, so
that nobody fills it, and in all.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any, Final, TypeVar

from quart import Quart, Request, Response, current_app, request
from quart.wrappers.request import Body
from werkzeug.exceptions import RequestEntityTooLarge

from core.api import context, limits
from core.errors import TooMany, Unavailable
from core.wire.limits import MAX_PLAIN_BYTES

FULL_OF_ADDRESS: Final = 4
"""How many of the largest bodies an address may have in memory at once, or as much in others."""
FULL_IN_ALL: Final = 16
BUFFERED_BYTES: Final = 2**16
"""A body up to this size is there in any case, whoever reads it."""

V = TypeVar("V", bound=Callable[..., Any])

_ATTRIBUTE = "max_body_bytes"


class TooMuchAtOnce(TooMany):
    """The address is sending as much as it may at once."""

    code = "TooMuchAtOnce"


class TooMuchInAll(Unavailable):
    """All addresses together are sending as much as the server takes at once."""

    code = "TooMuchInAll"


class Held:
    """Bytes of large bodies in memory, by address.

    most, most_of_address: how many there may be.
    """

    def __init__(self, *, most: int, most_of_address: int) -> None:
        self._most = most
        self._most_of_address = most_of_address
        self._of_address: Counter[str] = Counter()
        self._all = 0

    def take(self, address: str, size: int) -> None:
        """Count more bytes. Raises TooMuchAtOnce or TooMuchInAll if there is no room for them."""
        if self._of_address[address] + size > self._most_of_address:
            raise TooMuchAtOnce("You are sending too much at once. Please send it in turn.")
        if self._all + size > self._most:
            raise TooMuchInAll("Too much is being sent at once. Please try again later.")
        self._of_address[address] += size
        self._all += size

    def give_back(self, address: str, size: int) -> None:
        """They are no longer in memory."""
        self._all -= size
        self._of_address[address] -= size
        if self._of_address[address] <= 0:
            del self._of_address[address]


class LimitedBody(Body):
    """A body whose limit is known once its endpoint is."""

    def __init__(self, expected_content_length: int | None, max_content_length: int | None) -> None:
        super().__init__(expected_content_length, max_content_length)
        self._announced = expected_content_length or 0
        self._held: Held | None = None
        self._address, self._size, self._taken = "", 0, 0

    def append(self, data: bytes) -> None:
        """Take a part of the body."""
        self._size += len(data)
        try:
            self._take()
        except (TooMuchAtOnce, TooMuchInAll) as error:
            self._must_raise = error
            self.clear()
            self.set_complete()
        super().append(data)

    def hold(self, held: Held, address: str) -> None:
        """Count it, by what is announced or has come. Raises what `Held.take` does."""
        self._held, self._address = held, address
        try:
            self._take()
        except (TooMuchAtOnce, TooMuchInAll) as error:
            self._must_raise = error
            self.clear()
            raise

    def let_go(self) -> None:
        """It is not needed any more."""
        if self._held is not None:
            self._held.give_back(self._address, self._taken)
            self._held = None

    def _take(self) -> None:
        more = max(self._announced, self._size) - self._taken
        if self._held is not None and more > 0:
            self._held.take(self._address, more)
            self._taken += more

    @property
    def is_unread(self) -> bool:
        """Whether more of it is to come than the connection has buffered."""
        return self._announced > BUFFERED_BYTES and not self._complete.is_set()

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
    full = app.config["MAX_CONTENT_LENGTH"]
    held = Held(most=FULL_IN_ALL * full, most_of_address=FULL_OF_ADDRESS * full)

    @app.before_request
    async def _limit() -> None:
        view = current_app.view_functions.get(request.endpoint or "")
        most = getattr(view, _ATTRIBUTE, MAX_PLAIN_BYTES)
        if not isinstance(request.body, LimitedBody):
            return
        if most is not None:
            request.body.limit(min(most, full))
        if most is None or most > MAX_PLAIN_BYTES:
            request.body.hold(held, limits.network(context.address()))

    @app.after_request
    async def _tell_end(response: Response) -> Response:
        """Tell that the connection ends with this answer, if it does: not all was read.

        Otherwise the client would send its next call into it.
        """
        is_unread = isinstance(request.body, LimitedBody) and request.body.is_unread
        if is_unread and request.http_version.startswith("1"):
            response.headers["Connection"] = "close"
        return response

    @app.teardown_request
    async def _let_go(_: BaseException | None) -> None:
        if isinstance(request.body, LimitedBody):
            request.body.let_go()
