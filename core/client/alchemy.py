"""Alchemy: asking about pictures, and answering. A part of `HordeClient`."""

import asyncio
from dataclasses import dataclass
from typing import Final

from core.client.api import Api, segment
from core.client.errors import TimedOut
from core.wire.alchemy import (
    InterrogationPopInput,
    InterrogationPopPayload,
    InterrogationStatus,
    InterrogationSubmitInput,
    ModelInterrogationInputStable,
    RequestInterrogationResponse,
)
from core.wire.submit import GenerationSubmitted

ENDED: Final = frozenset({"done", "faulted", "cancelled"})


@dataclass(frozen=True)
class Alchemy:
    """The same as `HordeClient` does for pictures, for the forms of alchemy.

    poll_seconds: how often a request is looked at.
    """

    api: Api
    poll_seconds: float

    async def ask(self, ask: ModelInterrogationInputStable) -> RequestInterrogationResponse:
        """Queue the forms wanted of a picture. Never repeated."""
        return await self.api.post(RequestInterrogationResponse, "/interrogate/async", ask)

    async def status(self, request_id: str) -> InterrogationStatus:
        """Get the status of the forms, with finished results. Ten times a second at most."""
        return await self.api.get(InterrogationStatus, _status(request_id))

    async def cancel(self, request_id: str) -> InterrogationStatus:
        """Cancel forms that no worker has begun. Returns the status after that."""
        return await self.api.delete(InterrogationStatus, _status(request_id))

    async def wait_for(self, request_id: str, timeout_seconds: float) -> InterrogationStatus:
        """Wait until every form has ended in some way.

        Raises TimedOut after `timeout_seconds`; the request goes on unless it is cancelled.
        """
        try:
            async with asyncio.timeout(timeout_seconds):
                while True:
                    now = await self.status(request_id)
                    if all(form.state in ENDED for form in now.forms):
                        return now
                    await asyncio.sleep(self.poll_seconds)
        except TimeoutError:
            raise TimedOut(f"not done after {timeout_seconds:g} seconds") from None

    async def pop(self, offer: InterrogationPopInput) -> InterrogationPopPayload:
        """Ask for work; without `forms` there is none. Never repeated. May raise UnreadableJobs."""
        return await self.api.pop(
            InterrogationPopPayload, "/interrogate/pop", offer, wait=offer.wait
        )

    async def submit(self, result: InterrogationSubmitInput) -> GenerationSubmitted | None:
        """Submit a form's result, or give it back (`faulted`), as `HordeClient.submit` does."""
        return await self.api.submit("/interrogate/submit", result, fault=result.state == "faulted")


def _status(request_id: str) -> str:
    return f"/interrogate/status/{segment(request_id)}"
