"""The client itself: one method for each endpoint, and the two ways to wait for a request."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from importlib.metadata import version
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlencode

import httpx

from core.client import calls, guard, pictures, stream, watch
from core.client.alchemy import Alchemy
from core.client.api import Api, segment
from core.client.errors import TimedOut, UnexpectedAnswer
from core.client.retries import Retries
from core.client.text import Text
from core.wire.events import HEARTBEAT_SECONDS, Event, StatusEvent
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
from core.wire.kudos import KudosAudit
from core.wire.progress import ProgressHeard, ProgressInput
from core.wire.register import Registered, RegisterInput
from core.wire.status import ActiveModel, HordeHeartbeat, HordePerformance
from core.wire.users import UserDetails
from core.wire.workers import WorkerDetails

ANONYMOUS_KEY: Final = "0000000000"
SILENCE_SECONDS: Final = 3 * HEARTBEAT_SECONDS
"""An event stream that is silent for longer is broken."""


class HordeClient:
    """Calls one horde with one API key. Use it as an asynchronous context manager.

    What may be repeated without harm is repeated when the connection fails or the server says "not
    now": reading, uploading, cancelling and submitting. `generate`, `pop` and `register` never are:
    after a lost answer they would cost twice, leave jobs undone or make a second account.

    The key goes only to the origin of `url`, never to the target of a redirect or a picture's URL.

    url: where the horde is, with or without `/api` or `/api/v2`.
    client_agent: `name:version:contact` of the program that uses this.
    transport: carries the calls to the origin of `url` (pictures elsewhere take the network).
    timeout_seconds: for each attempt, from connecting to the last byte. Pictures have their own
        limit, and a pop may take longer by its own `wait`.
    poll_seconds: how often a request is polled if the server has no event stream.
    private: None: pictures may be anywhere. Otherwise only on the public internet, at the horde's
        own address, and at these addresses and networks. Every method raises a HordeError on
        failure; see `core.client.errors`.
    """

    def __init__(
        self,
        url: str,
        api_key: str = ANONYMOUS_KEY,
        *,
        client_agent: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        timeout_seconds: float = 30.0,
        retries: Retries | None = None,
        poll_seconds: float = 2.0,
        private: Sequence[str] | None = None,
    ) -> None:
        if not (api_key.isascii() and api_key.isprintable()):
            raise ValueError("an API key has printable ASCII characters only")
        release = version("stable-horde")
        site = url.rstrip("/").removesuffix("/v2").removesuffix("/api")
        headers = {
            "apikey": api_key,
            "Client-Agent": client_agent
            or f"stable-horde:{release}:https://github.com/stable-horde/stable-horde",
        }
        self._retries = retries or Retries()
        self._poll_seconds = poll_seconds
        self._http = httpx.AsyncClient(
            headers={"User-Agent": f"stable-horde/{release}"},
            mounts={calls.origin(site): transport} if transport else None,
        )
        self._pictures = self._http
        if private is not None:
            self._pictures = guard.client(
                guard.PublicOnly(site, private),
                headers={"User-Agent": f"stable-horde/{release}"},
                mounts={calls.origin(site): transport} if transport else None,
            )
        self._api = Api(self._http, f"{site}/api/v2", headers, timeout_seconds, self._retries)
        self.text: Final = Text(self._api, poll_seconds)
        """The same for text."""
        self.alchemy: Final = Alchemy(self._api, poll_seconds)
        """The same for forms of an existing picture."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._pictures.aclose()
        await self._http.aclose()

    # Asking for pictures

    async def generate(self, ask: GenerationInputStable) -> RequestAsync:
        """Queue a request. Never repeated. For a dry run use `price`."""
        if ask.dry_run:
            raise ValueError("a dry run queues nothing; use price()")
        return await self._api.post(RequestAsync, "/generate/async", ask)

    async def price(self, ask: GenerationInputStable) -> float:
        """The cost of a request, in kudos, without queueing it."""
        dry = ask.model_copy(update={"dry_run": True})
        return (await self._api.post(DryRun, "/generate/async", dry)).price

    async def check(self, request_id: str) -> RequestStatusCheck:
        """Get the status of a request."""
        return await self._api.get(RequestStatusCheck, f"/generate/check/{segment(request_id)}")

    async def status(self, request_id: str) -> RequestStatusStable:
        """Get the status of a request, with its finished pictures. Ten times a minute at most."""
        return await self._api.get(RequestStatusStable, f"/generate/status/{segment(request_id)}")

    async def cancel(self, request_id: str) -> RequestStatusStable:
        """Cancel what no worker has begun. Returns the status before, with finished results."""
        return await self._api.delete(
            RequestStatusStable, f"/generate/status/{segment(request_id)}"
        )

    def events(self, request_id: str) -> AsyncGenerator[Event, None]:
        """Yield what happens to a request as it happens, `EndEvent` last and each picture once.

        A broken stream is connected again; if the server has none, the request is polled.
        Leave the loop early only within `contextlib.aclosing`, so that the connection closes.
        """
        source = watch.Source(
            stream=lambda: self._stream(request_id),
            check=lambda: self.check(request_id),
            status=lambda: self.status(request_id),
        )
        return watch.follow(source, retries=self._retries, poll_seconds=self._poll_seconds)

    async def wait_for(
        self,
        request_id: str,
        timeout_seconds: float,
        on_status: Callable[[StatusEvent], None] | None = None,
    ) -> RequestStatusStable:
        """Wait until a request ends. Returns its pictures.

        on_status: called with each change.
        Raises TimedOut after `timeout_seconds`; the request goes on unless it is cancelled.
        """
        try:
            async with asyncio.timeout(timeout_seconds):
                async with aclosing(self.events(request_id)) as events:
                    async for event in events:
                        if on_status is not None and isinstance(event, StatusEvent):
                            on_status(event)
                return await self.status(request_id)
        except TimeoutError:
            raise TimedOut(f"not done after {timeout_seconds:g} seconds") from None

    # Serving them

    async def pop(self, offer: PopInputStable) -> GenerationPayloadStable:
        """Ask for work; without `id` there is none. Never repeated. May raise UnreadableJobs."""
        return await self._api.pop(GenerationPayloadStable, "/generate/pop", offer, wait=offer.wait)

    async def submit(self, result: SubmitInputStable) -> GenerationSubmitted | None:
        """Submit a job, or give it back (`faulted`). Repeated until the server has it.

        Returns None if the server has it, but its first answer, with the reward, got lost.
        Raises AlreadySubmitted and JobGone if the job is not this worker's to submit.
        """
        return await self._api.submit("/generate/submit", result, fault=result.state == "faulted")

    async def progress(self, said: ProgressInput) -> ProgressHeard:
        """Say how far jobs are (any kind's). Never repeated: the next one says more.

        Raises NotFound where the horde does not listen.
        """
        return await self._api.post(ProgressHeard, "/generate/progress", said)

    async def upload(self, url: str, content: bytes) -> None:
        """PUT a picture (WebP) to a URL from a pop's `r2_uploads`."""
        await self._retries.for_results().run(lambda: pictures.upload(self._pictures, url, content))

    async def download(self, url_or_base64: str, max_bytes: int = pictures.MAX_BYTES) -> bytes:
        """Get the bytes of a generation's `img`, or of a pop's `source_image`.

        Raises TooLarge if there are more than `max_bytes`.
        """
        if not url_or_base64.startswith(("http://", "https://")):
            return pictures.decode(url_or_base64, max_bytes=max_bytes)
        return await self._retries.run(
            lambda: pictures.download(self._pictures, url_or_base64, max_bytes=max_bytes)
        )

    # Users, workers and the horde

    async def register(self, username: str) -> Registered:
        """Make an account; its key is only in this answer. Never repeated."""
        return await self._api.post(Registered, "/register", RegisterInput(username=username))

    async def find_user(self) -> UserDetails:
        """Get the key's own user."""
        return await self._api.get(UserDetails, "/find_user")

    async def user(self, user_id: int) -> UserDetails:
        """Get a user, as far as the key may see them."""
        return await self._api.get(UserDetails, f"/users/{user_id}")

    async def workers(self) -> list[WorkerDetails]:
        """Get the workers that are online."""
        return await self._api.get_list(WorkerDetails, "/workers")

    async def worker(self, worker_id: str) -> WorkerDetails:
        """Get a worker, online or not."""
        return await self._api.get(WorkerDetails, f"/workers/{segment(worker_id)}")

    async def worker_named(self, name: str) -> WorkerDetails:
        """Get the worker of this name, online or not."""
        return await self._api.get(WorkerDetails, f"/workers/name/{segment(name)}")

    async def heartbeat(self) -> HordeHeartbeat:
        """Get the state of the server."""
        return await self._api.get(HordeHeartbeat, "/status/heartbeat")

    async def models(self, type: str = "image") -> list[ActiveModel]:  # noqa: A002 - the API's word
        """Get the models that are offered or asked for."""
        return await self._api.get_list(ActiveModel, f"/status/models?{urlencode({'type': type})}")

    async def performance(self) -> HordePerformance:
        """Get the queues and who works on them."""
        return await self._api.get(HordePerformance, "/status/performance")

    async def audit(self) -> KudosAudit:
        """Get the proof that no kudos came from nowhere."""
        return await self._api.get(KudosAudit, "/kudos/audit")

    async def _stream(self, request_id: str) -> AsyncGenerator[Event, None]:
        headers = {**self._api.headers, "Accept": "text/event-stream"}
        url = f"{self._api.root}/generate/events/{segment(request_id)}"
        call = calls.Call("GET", url, headers, SILENCE_SECONDS)
        async with calls.opened(self._http, call) as response:
            if not response.headers.get("Content-Type", "").startswith("text/event-stream"):
                raise UnexpectedAnswer(response.status_code, None, "no event stream")
            async with aclosing(stream.read(response.aiter_bytes())) as events:
                async for event in events:
                    yield event
