"""The client itself: one method for each endpoint, and the two ways to wait for a request."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from importlib.metadata import version
from types import TracebackType
from typing import Final, Self, TypeVar
from urllib.parse import quote, urlencode

import httpx
from pydantic import ValidationError
from pydantic_core import from_json

from core.client import calls, pictures, stream, submission, watch
from core.client.errors import TimedOut, UnexpectedAnswer
from core.client.retries import Retries
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
from core.wire.model import Answer, Request, request_json
from core.wire.register import Registered, RegisterInput
from core.wire.status import ActiveModel, HordeHeartbeat, HordePerformance
from core.wire.users import UserDetails
from core.wire.workers import WorkerDetails

A = TypeVar("A", bound=Answer)

ANONYMOUS_KEY: Final = "0000000000"
SILENCE_SECONDS: Final = 3 * HEARTBEAT_SECONDS
"""An event stream that is silent for longer is broken."""


class HordeClient:
    """Calls one horde with one API key. Use it as an asynchronous context manager.

    What may be repeated without harm is repeated when the connection fails or the server says "not
    now": reading, uploading, cancelling and submitting. `generate`, `pop` and `register` never
    are: an answer that got lost would cost twice, leave jobs undone or make a second account.

    The key goes to the origin of `url` alone, never where a redirect or a picture's URL leads.

    url: where the horde is, with or without `/api` or `/api/v2`.
    client_agent: `name:version:contact` of the program that uses this.
    transport: carries the calls to the origin of `url` (pictures elsewhere take the network).
    timeout_seconds: for each attempt, from connecting to the last byte. Pictures have their own
        limit, and a pop may wait longer by what it asks for.
    poll_seconds: how often a request is looked at where the server has no event stream.
    Every method raises a HordeError where it fails; see `core.client.errors`.
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
    ) -> None:
        if not (api_key.isascii() and api_key.isprintable()):
            raise ValueError("an API key has printable ASCII characters only")
        release = version("stable-horde")
        site = url.rstrip("/").removesuffix("/v2").removesuffix("/api")
        self._api = f"{site}/api/v2"
        self._headers = {
            "apikey": api_key,
            "Client-Agent": client_agent
            or f"stable-horde:{release}:https://github.com/stable-horde/stable-horde",
        }
        self._timeout_seconds = timeout_seconds
        self._retries = retries or Retries()
        self._poll_seconds = poll_seconds
        self._http = httpx.AsyncClient(
            headers={"User-Agent": f"stable-horde/{release}"},
            mounts={calls.origin(site): transport} if transport else None,
        )

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
        await self._http.aclose()

    # Asking for pictures

    async def generate(self, ask: GenerationInputStable) -> RequestAsync:
        """Queue a request. Never repeated. For a dry run there is `price`."""
        if ask.dry_run:
            raise ValueError("a dry run queues nothing; use price()")
        return await self._post(RequestAsync, "/generate/async", ask)

    async def price(self, ask: GenerationInputStable) -> float:
        """Say what a request would cost, in kudos, without queueing it."""
        dry = ask.model_copy(update={"dry_run": True})
        return (await self._post(DryRun, "/generate/async", dry)).kudos

    async def check(self, request_id: str) -> RequestStatusCheck:
        """Say how far a request is."""
        return await self._get(RequestStatusCheck, f"/generate/check/{_segment(request_id)}")

    async def status(self, request_id: str) -> RequestStatusStable:
        """Say how far a request is, with its finished pictures. Ten times a minute at most."""
        return await self._get(RequestStatusStable, f"/generate/status/{_segment(request_id)}")

    async def cancel(self, request_id: str) -> RequestStatusStable:
        """Cancel what no worker has begun; gives the status from before, with what is finished."""
        call = self._call("DELETE", f"/generate/status/{_segment(request_id)}")
        return _read(RequestStatusStable, await self._repeated(call))

    def events(self, request_id: str) -> AsyncGenerator[Event, None]:
        """Give what happens to a request as it happens, `EndEvent` last and each picture once.

        A broken stream is connected again; where the server has none, the request is polled.
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
        """Wait until a request ends, and give its pictures.

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
        """Ask for work; `id` is None where there is none. Never repeated."""
        return await self._post(
            GenerationPayloadStable, "/generate/pop", offer, extra_seconds=offer.wait
        )

    async def submit(self, result: SubmitInputStable) -> GenerationSubmitted | None:
        """Say that a job is done, or given back (`faulted`). Repeated until the server has it.

        None: the server has it, but its first answer, and with it the reward, got lost.
        Raises AlreadySubmitted and JobGone where the job is not this worker's to submit.
        """
        call = self._call("POST", "/generate/submit", request_json(result))
        return await submission.run(
            lambda: self._once(GenerationSubmitted, call),
            self._retries,
            fault=result.state == "faulted",
        )

    async def upload(self, url: str, content: bytes) -> None:
        """PUT a picture (WebP) to a URL from a pop's `r2_uploads`."""
        await self._retries.run(lambda: pictures.upload(self._http, url, content))

    async def download(self, url_or_base64: str, max_bytes: int = pictures.LONGEST_BYTES) -> bytes:
        """Give the bytes of a generation's `img`, or of a pop's `source_image`.

        Raises TooLarge where there are more than `max_bytes`.
        """
        if not url_or_base64.startswith(("http://", "https://")):
            return pictures.decode(url_or_base64, max_bytes=max_bytes)
        return await self._retries.run(
            lambda: pictures.download(self._http, url_or_base64, max_bytes=max_bytes)
        )

    # Users, workers and the horde

    async def register(self, username: str) -> Registered:
        """Make an account; its key is in this answer and nowhere else. Never repeated."""
        return await self._post(Registered, "/register", RegisterInput(username=username))

    async def find_user(self) -> UserDetails:
        """Give the key's own user."""
        return await self._get(UserDetails, "/find_user")

    async def user(self, user_id: int) -> UserDetails:
        """Give a user, as far as the key may see them."""
        return await self._get(UserDetails, f"/users/{user_id}")

    async def workers(self) -> list[WorkerDetails]:
        """Give the workers that are online."""
        return await self._get_list(WorkerDetails, "/workers")

    async def worker(self, worker_id: str) -> WorkerDetails:
        """Give a worker, online or not."""
        return await self._get(WorkerDetails, f"/workers/{_segment(worker_id)}")

    async def worker_named(self, name: str) -> WorkerDetails:
        """Give the worker of this name, online or not."""
        return await self._get(WorkerDetails, f"/workers/name/{_segment(name)}")

    async def heartbeat(self) -> HordeHeartbeat:
        """Say how the server is."""
        return await self._get(HordeHeartbeat, "/status/heartbeat")

    async def models(self, type: str = "image") -> list[ActiveModel]:  # noqa: A002 - the API's word
        """Give the models that are offered or asked for."""
        return await self._get_list(ActiveModel, f"/status/models?{urlencode({'type': type})}")

    async def performance(self) -> HordePerformance:
        """Say how long the queues are and who works on them."""
        return await self._get(HordePerformance, "/status/performance")

    async def audit(self) -> KudosAudit:
        """Give the proof that no kudos came from nowhere."""
        return await self._get(KudosAudit, "/kudos/audit")

    # How all of them call

    def _call(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        *,
        extra_seconds: float = 0.0,
    ) -> calls.Call:
        headers = dict(self._headers)
        if content is not None:
            headers["Content-Type"] = "application/json"
        seconds = self._timeout_seconds + extra_seconds
        return calls.Call(method, f"{self._api}{path}", headers, seconds, content)

    async def _post(
        self, model: type[A], path: str, body: Request, *, extra_seconds: float = 0.0
    ) -> A:
        call = self._call("POST", path, request_json(body), extra_seconds=extra_seconds)
        return await self._once(model, call)

    async def _get(self, model: type[A], path: str) -> A:
        return _read(model, await self._repeated(self._call("GET", path)))

    async def _get_list(self, model: type[A], path: str) -> list[A]:
        content = await self._repeated(self._call("GET", path))
        try:
            return [model.model_validate(one) for one in from_json(content)]
        except (TypeError, ValueError):
            raise _unexpected(model) from None

    async def _once(self, model: type[A], call: calls.Call) -> A:
        return _read(model, await calls.fetch(self._http, call))

    async def _repeated(self, call: calls.Call) -> bytes:
        return await self._retries.run(lambda: calls.fetch(self._http, call))

    async def _stream(self, request_id: str) -> AsyncGenerator[Event, None]:
        headers = {**self._headers, "Accept": "text/event-stream"}
        url = f"{self._api}/generate/events/{_segment(request_id)}"
        call = calls.Call("GET", url, headers, SILENCE_SECONDS)
        async with calls.opened(self._http, call) as response:
            if not response.headers.get("Content-Type", "").startswith("text/event-stream"):
                raise UnexpectedAnswer(response.status_code, None, "no event stream")
            async with aclosing(stream.read(response.aiter_bytes())) as events:
                async for event in events:
                    yield event


def _segment(text: str) -> str:
    return quote(text, safe="")


def _read(model: type[A], content: bytes) -> A:
    try:
        return model.model_validate_json(content)
    except ValidationError:
        raise _unexpected(model) from None


def _unexpected(model: type[Answer]) -> UnexpectedAnswer:
    return UnexpectedAnswer(None, None, f"the answer is no {model.__name__}")
