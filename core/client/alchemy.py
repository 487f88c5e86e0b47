"""Alchemy: asking about pictures, and answering. A part of `HordeClient`."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from core.client import watch
from core.client.api import at
from core.client.errors import TimedOut
from core.client.running import Part, R, operation, stream
from core.wire.alchemy import (
    InterrogationPopInput,
    InterrogationPopPayload,
    InterrogationStatus,
    InterrogationSubmitInput,
    ModelInterrogationInputStable,
    RequestInterrogationResponse,
)
from core.wire.events import Event
from core.wire.submit import GenerationSubmitted

ENDED: Final = frozenset({"done", "faulted", "cancelled"})


class Alchemy(Part[R]):
    """The same as `HordeClient` does for pictures, for the forms of alchemy."""

    @operation
    async def ask(
        self, ask: ModelInterrogationInputStable, key: str | None = None
    ) -> RequestInterrogationResponse:
        """Queue the forms wanted of a picture. Never asked twice.

        key: as `HordeClient.generate` has it.
        """
        path = at("interrogate", "async")
        return await self._api.post(RequestInterrogationResponse, path, ask, key=key)

    @operation
    async def status(self, request_id: str) -> InterrogationStatus:
        """Get the status of the forms, with finished results. Ten times a second at most."""
        return await self._api.get(InterrogationStatus, _status(request_id))

    @operation
    async def cancel(self, request_id: str) -> InterrogationStatus:
        """Cancel forms that no worker has begun. Returns the status after that."""
        return await self._api.cancel(InterrogationStatus, _status(request_id))

    @stream
    async def events(self, request_id: str) -> AsyncGenerator[Event, None]:
        """Yield what happens to a request as it happens, `EndEvent` last; `status` has its results.

        As `HordeClient.events` does for pictures.
        """
        async with aclosing(watch.follow(self._api, request_id, status=None)) as events:
            async for event in events:
                yield event

    @operation
    async def wait_for(self, request_id: str, timeout_seconds: float) -> InterrogationStatus:
        """Wait until every form has ended in some way.

        Raises TimedOut after `timeout_seconds`; the request goes on unless it is cancelled.
        """
        try:
            async with asyncio.timeout(timeout_seconds):
                while True:
                    now = await self._api.get(InterrogationStatus, _status(request_id))
                    if all(form.state in ENDED for form in now.forms):
                        return now
                    await asyncio.sleep(self._api.poll_seconds)
        except TimeoutError:
            raise TimedOut(timeout_seconds) from None

    @operation
    async def pop(self, offer: InterrogationPopInput) -> InterrogationPopPayload:
        """Ask for work; without `forms` there is none. Never repeated. May raise UnreadableJobs."""
        return await self._api.pop(
            InterrogationPopPayload, at("interrogate", "pop"), offer, wait=offer.wait
        )

    @operation
    async def submit(self, result: InterrogationSubmitInput) -> GenerationSubmitted | None:
        """Submit a form's result, or give it back (`faulted`), as `HordeClient.submit` does."""
        return await self._api.submit(
            at("interrogate", "submit"), result, fault=result.state == "faulted"
        )


def _status(request_id: str) -> str:
    return at("interrogate", "status", request_id)
