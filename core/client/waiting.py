"""Waiting for what was asked for, the same for each kind. A base of the parts that ask."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial
from typing import Generic, TypeVar

from core.client import watch
from core.client.running import Part, R, operation, stream
from core.wire.events import Event
from core.wire.generate import RequestStatusCheck

S = TypeVar("S")
"""A request's status with its results."""


class Waiting(Part[R], ABC, Generic[R, S]):
    """Following a request as it is served, and waiting for its end."""

    @abstractmethod
    async def _check(self, request_id: str) -> RequestStatusCheck:
        """See how far a request is."""

    @abstractmethod
    async def _status(self, request_id: str) -> S:
        """See how far a request is, with its finished results."""

    @stream
    async def events(self, request_id: str) -> AsyncGenerator[Event, None]:
        """Yield what happens to a request as it happens, `EndEvent` last; `status` has its results.

        As `HordeClient.events` does for pictures; a `ProgressEvent` may have a text so far.
        """
        look = partial(self._check, request_id)
        async with aclosing(watch.follow(self._api, request_id, look)) as events:
            async for event in events:
                yield event

    @operation
    async def wait_for(
        self,
        request_id: str,
        timeout_seconds: float,
        on_event: Callable[[Event], None] | None = None,
    ) -> S:
        """Wait until a request ends. Returns its status then, with its results.

        on_event: called with each event.
        Raises TimedOut after `timeout_seconds`; the request goes on unless it is cancelled.
        """
        events = watch.follow(self._api, request_id, partial(self._check, request_id))
        status = partial(self._status, request_id)
        return await watch.until_end(events, status, timeout_seconds, on_event)
