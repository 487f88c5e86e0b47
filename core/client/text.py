"""Text: asking for it, and serving it. A part of `HordeClient`."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from core.client.api import Api, segment
from core.client.errors import TimedOut
from core.wire.generate import DryRun, RequestAsync
from core.wire.submit import GenerationSubmitted
from core.wire.text import (
    GenerationInputKobold,
    GenerationPayloadKobold,
    PopInputKobold,
    RequestStatusKobold,
    SubmitInputKobold,
)


@dataclass(frozen=True)
class Text:
    """The same as `HordeClient` does for pictures, for text.

    poll_seconds: how often a request is looked at; the server allows one look a second.
    """

    api: Api
    poll_seconds: float

    async def generate(self, ask: GenerationInputKobold) -> RequestAsync:
        """Queue a request. Never repeated. For a dry run use `price`."""
        if ask.dry_run:
            raise ValueError("a dry run queues nothing; use price()")
        return await self.api.post(RequestAsync, "/generate/text/async", ask)

    async def price(self, ask: GenerationInputKobold) -> float:
        """The cost of a request, in kudos, without queueing it."""
        dry = ask.model_copy(update={"dry_run": True})
        return (await self.api.post(DryRun, "/generate/text/async", dry)).price

    async def status(self, request_id: str) -> RequestStatusKobold:
        """Get the status of a request, with its finished texts. Sixty times a minute at most."""
        return await self.api.get(RequestStatusKobold, _status(request_id))

    async def cancel(self, request_id: str) -> RequestStatusKobold:
        """Cancel what no worker has begun. Returns the status before, with finished results."""
        return await self.api.delete(RequestStatusKobold, _status(request_id))

    async def wait_for(
        self,
        request_id: str,
        timeout_seconds: float,
        on_status: Callable[[RequestStatusKobold], None] | None = None,
    ) -> RequestStatusKobold:
        """Wait until a request ends. Returns its texts.

        on_status: called with each look.
        Raises TimedOut after `timeout_seconds`; the request goes on unless it is cancelled.
        """
        try:
            async with asyncio.timeout(timeout_seconds):
                while True:
                    now = await self.status(request_id)
                    if on_status is not None:
                        on_status(now)
                    if now.done or now.faulted:
                        return now
                    await asyncio.sleep(self.poll_seconds)
        except TimeoutError:
            raise TimedOut(f"not done after {timeout_seconds:g} seconds") from None

    async def pop(self, offer: PopInputKobold) -> GenerationPayloadKobold:
        """Ask for work; without `id` there is none. Never repeated. May raise UnreadableJobs."""
        return await self.api.pop(
            GenerationPayloadKobold, "/generate/text/pop", offer, wait=offer.wait
        )

    async def submit(self, result: SubmitInputKobold) -> GenerationSubmitted | None:
        """Submit a job, or give it back (`faulted`), as `HordeClient.submit` does."""
        return await self.api.submit(
            "/generate/text/submit", result, fault=result.state == "faulted"
        )


def _status(request_id: str) -> str:
    return f"/generate/text/status/{segment(request_id)}"
