"""Pictures: asking for them, waiting for them, serving them. `HordeClient` has these itself."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial

from core.client import calls, pictures, watch
from core.client.api import at
from core.client.running import R, operation, stream
from core.client.waiting import Waiting
from core.wire.events import Event
from core.wire.generate import (
    DryRun,
    GenerationInputStable,
    GenerationPayloadStable,
    GenerationSubmitted,
    PopInputStable,
    RequestAsync,
    RequestStatusCheck,
    RequestStatusStable,
    SubmitInputStable,
)
from core.wire.progress import ProgressHeard, ProgressInput


class Images(Waiting[R, RequestStatusStable]):
    """Asking for pictures, waiting for them, and serving them."""

    @operation
    async def generate(self, ask: GenerationInputStable, key: str | None = None) -> RequestAsync:
        """Queue a request. Never asked twice. For a dry run use `price`.

        key: a long random text, kept by you. After a lost answer, the same call with the same key
            gives the same request, as long as that lives. (`repeated` is None in the answer of a
            horde that reads no keys: there it is another request.)
        """
        if ask.dry_run:
            raise ValueError("a dry run queues nothing; use price()")
        return await self._api.post(RequestAsync, at("generate", "async"), ask, key=key)

    @operation
    async def price(self, ask: GenerationInputStable) -> float:
        """The cost of a request, in kudos, without queueing it."""
        dry = ask.model_copy(update={"dry_run": True})
        return (await self._api.post(DryRun, at("generate", "async"), dry)).price

    @operation
    async def check(self, request_id: str) -> RequestStatusCheck:
        """Get the status of a request. Ten times a second at most."""
        return await self._check(request_id)

    @operation
    async def status(self, request_id: str) -> RequestStatusStable:
        """Get the status of a request, with its finished pictures. Ten times a minute at most."""
        return await self._status(request_id)

    @operation
    async def cancel(self, request_id: str) -> RequestStatusStable:
        """Cancel what no worker has begun. Returns the status before, with finished results."""
        return await self._api.cancel(RequestStatusStable, at("generate", "status", request_id))

    @stream
    async def events(self, request_id: str) -> AsyncGenerator[Event, None]:
        """Yield what happens to a request as it happens, `EndEvent` last and each picture once.

        A broken stream is connected again; if the server has none, the request is polled.
        Leave the loop early only within `contextlib.aclosing` (`closing` where it blocks), so that
        the connection closes.
        """
        look = partial(self._check, request_id)
        status = partial(self._status, request_id)
        async with aclosing(watch.follow(self._api, request_id, look, status)) as events:
            async for event in events:
                yield event

    @stream
    async def listen(self, request_id: str) -> AsyncGenerator[Event, None]:
        """Yield the events of one stream of a request (of any kind), for who looks at it besides.

        Nothing is connected again and nothing is polled. Raises UnexpectedAnswer or NotFound if the
        server has no stream of it, TooMany if it serves no other one, Unreachable if it breaks off.
        """
        async with aclosing(watch.listen(self._api, request_id)) as events:
            async for event in events:
                yield event

    @operation
    async def download(self, url_or_base64: str, max_bytes: int = pictures.MAX_BYTES) -> bytes:
        """Get the bytes of a generation's `img`, or of a pop's `source_image`.

        Raises TooLarge if there are more than `max_bytes`.
        """
        if not url_or_base64.startswith(("http://", "https://")):
            return pictures.decode(url_or_base64, max_bytes=max_bytes)
        return await self._api.retries.run(
            lambda: pictures.download(self._api.files, url_or_base64, max_bytes=max_bytes)
        )

    @operation
    async def pop(self, offer: PopInputStable) -> GenerationPayloadStable:
        """Ask for work; without `id` there is none. Never repeated. May raise UnreadableJobs."""
        return await self._api.pop(
            GenerationPayloadStable, at("generate", "pop"), offer, wait=offer.wait
        )

    @operation
    async def progress(self, said: ProgressInput) -> ProgressHeard:
        """Say how far jobs are (any kind's). Never repeated: the next one says more.

        Raises NotFound where the horde does not listen.
        """
        call = self._api.call("POST", at("generate", "progress"), said)
        return await self._api.once(ProgressHeard, call)

    @operation
    async def upload(self, url: str, content: bytes) -> None:
        """PUT a picture (WebP) to a URL from a pop's `r2_uploads`."""
        await self._api.retries.for_results().run(
            lambda: pictures.upload(self._api.files, url, content)
        )

    @operation
    async def submit(self, result: SubmitInputStable) -> GenerationSubmitted | None:
        """Submit a job, or give it back (`faulted`). Repeated until the server has it.

        Returns None if the server has it, but its first answer, with the reward, got lost.
        Raises AlreadySubmitted and JobGone if the job is not this worker's to submit.
        """
        return await self._api.submit(
            at("generate", "submit"), result, fault=result.state == "faulted"
        )

    async def _check(self, request_id: str) -> RequestStatusCheck:
        return await self._api.get(RequestStatusCheck, at("generate", "check", request_id))

    async def _status(self, request_id: str) -> RequestStatusStable:
        path = at("generate", "status", request_id)
        return await self._api.get(RequestStatusStable, path, longest=calls.MAX_PICTURES_BYTES)
