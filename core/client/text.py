"""Text: asking for it, and serving it. A part of `HordeClient`."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from core.client import watch
from core.client.api import at
from core.client.errors import TimedOut
from core.client.running import Part, R, operation, stream
from core.wire.events import Event
from core.wire.generate import DryRun, RequestAsync
from core.wire.submit import GenerationSubmitted
from core.wire.text import (
    GenerationInputKobold,
    GenerationPayloadKobold,
    PopInputKobold,
    RequestStatusKobold,
    SubmitInputKobold,
)


class Text(Part[R]):
    """The same as `HordeClient` does for pictures, for text."""

    @operation
    async def generate(self, ask: GenerationInputKobold, key: str | None = None) -> RequestAsync:
        """Queue a request. Never asked twice. For a dry run use `price`.

        key: as `HordeClient.generate` has it.
        """
        if ask.dry_run:
            raise ValueError("a dry run queues nothing; use price()")
        return await self._api.post(RequestAsync, at("generate", "text", "async"), ask, key=key)

    @operation
    async def price(self, ask: GenerationInputKobold) -> float:
        """The cost of a request, in kudos, without queueing it."""
        dry = ask.model_copy(update={"dry_run": True})
        return (await self._api.post(DryRun, at("generate", "text", "async"), dry)).price

    @operation
    async def status(self, request_id: str) -> RequestStatusKobold:
        """Get the status of a request, with its finished texts. Sixty times a minute at most."""
        return await self._api.get(RequestStatusKobold, _status(request_id))

    @operation
    async def cancel(self, request_id: str) -> RequestStatusKobold:
        """Cancel what no worker has begun. Returns the status before, with finished results."""
        return await self._api.cancel(RequestStatusKobold, _status(request_id))

    @stream
    async def events(self, request_id: str) -> AsyncGenerator[Event, None]:
        """Yield what happens to a request as it happens, `EndEvent` last; `status` has its texts.

        As `HordeClient.events` does for pictures; a `ProgressEvent` may have the text so far.
        """
        async with aclosing(watch.follow(self._api, request_id, status=None)) as events:
            async for event in events:
                yield event

    @operation
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
                    now = await self._api.get(RequestStatusKobold, _status(request_id))
                    if on_status is not None:
                        on_status(now)
                    if now.done or now.faulted:
                        return now
                    await asyncio.sleep(self._api.poll_seconds)
        except TimeoutError:
            raise TimedOut(timeout_seconds) from None

    @operation
    async def pop(self, offer: PopInputKobold) -> GenerationPayloadKobold:
        """Ask for work; without `id` there is none. Never repeated. May raise UnreadableJobs."""
        return await self._api.pop(
            GenerationPayloadKobold, at("generate", "text", "pop"), offer, wait=offer.wait
        )

    @operation
    async def submit(self, result: SubmitInputKobold) -> GenerationSubmitted | None:
        """Submit a job, or give it back (`faulted`), as `HordeClient.submit` does."""
        return await self._api.submit(
            at("generate", "text", "submit"), result, fault=result.state == "faulted"
        )


def _status(request_id: str) -> str:
    return at("generate", "text", "status", request_id)
