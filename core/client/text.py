"""Text: asking for it, and serving it. A part of `HordeClient`."""

from core.client.api import at
from core.client.running import R, operation
from core.client.waiting import Waiting
from core.wire.generate import DryRun, RequestAsync
from core.wire.submit import GenerationSubmitted
from core.wire.text import (
    GenerationInputKobold,
    GenerationPayloadKobold,
    PopInputKobold,
    RequestStatusKobold,
    SubmitInputKobold,
)


class Text(Waiting[R, RequestStatusKobold]):
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
        return await self._status(request_id)

    @operation
    async def cancel(self, request_id: str) -> RequestStatusKobold:
        """Cancel what no worker has begun. Returns the status before, with finished results."""
        return await self._api.cancel(RequestStatusKobold, _path(request_id))

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

    async def _status(self, request_id: str) -> RequestStatusKobold:
        return await self._api.get(RequestStatusKobold, _path(request_id))

    _check = _status


def _path(request_id: str) -> str:
    return at("generate", "text", "status", request_id)
