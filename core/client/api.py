"""Calls to endpoints: where, with which headers, how often, and how answers are read."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final, Self, TypeVar, cast, get_args
from urllib.parse import quote, urlencode, urlsplit

import httpx
from pydantic import TypeAdapter, ValidationError

from core.client import calls, handed_out, submission
from core.client.errors import (
    HordeError,
    Invalid,
    NotFound,
    TooMany,
    UnexpectedAnswer,
    UnreadableJobs,
)
from core.client.retries import Retries
from core.wire.errors import RequestValidationError
from core.wire.model import Answer, Request, request_json
from core.wire.submit import GenerationSubmitted
from core.wire.validation import errors_of

T = TypeVar("T")
A = TypeVar("A", bound=Answer)
B = TypeVar("B", bound=Request)

UNREADABLE: Final = (ValueError, ArithmeticError, RecursionError)
"""Errors for an answer of another form: pydantic's own error is a ValueError."""

Query = Mapping[str, str | int | None]


@dataclass(frozen=True)
class Api:
    """One horde's API, called with one key.

    files: calls the addresses of pictures, which somebody else chose.
    site: the URL to which paths are appended.
    headers: of every call, with the key.
    timeout_seconds: for each attempt, from connecting to the last byte.
    poll_seconds: how often a request is looked at where nothing tells of it.
    """

    http: httpx.AsyncClient
    files: httpx.AsyncClient
    site: str
    headers: Mapping[str, str]
    timeout_seconds: float
    retries: Retries
    poll_seconds: float

    def with_key(self, api_key: str) -> Self:
        """The same with another key, over the same connections."""
        return replace(self, headers={**self.headers, **key_header(api_key)})

    def without_key(self) -> Self:
        """The same without a key."""
        headers = {name: value for name, value in self.headers.items() if name != "apikey"}
        return replace(self, headers=headers)

    async def aclose(self) -> None:
        """Close all connections."""
        await self.files.aclose()
        await self.http.aclose()

    async def get(
        self,
        answer: type[T],
        path: str,
        query: Query | None = None,
        *,
        longest: int = calls.MAX_ANSWER_BYTES,
    ) -> T:
        """GET, repeated if that may help. query: without what is None."""
        return await self._repeated(
            answer, self.call("GET", path + _written(query), longest=longest)
        )

    async def post(
        self,
        answer: type[T],
        path: str,
        body: Request,
        *,
        key: str | None = None,
        extra_seconds: float = 0.0,
    ) -> T:
        """POST once; again only where the server says that it counted one call too many.

        key: tells the server which calls are the same. Not every horde reads it.
        """
        call = self.call("POST", path, body, extra_seconds=extra_seconds)
        if key is not None:
            call = _keyed(call, key)
        return await self.retries.for_what_would_happen_twice().run(lambda: self.once(answer, call))

    async def post_keyed(self, answer: type[T], path: str, body: Request, key: str) -> T:
        """POST, repeated if that may help: the server does it once for each `key`."""
        return await self._repeated(answer, _keyed(self.call("POST", path, body), key))

    async def put(self, answer: type[T], path: str, body: Request, *, adds: bool = False) -> T:
        """PUT, repeated if that may help, unless it `adds` something."""
        return await self._changed("PUT", answer, path, body, adds=adds)

    async def patch(self, answer: type[T], path: str, body: Request) -> T:
        """PATCH, repeated if that may help: it says what things are to be, not what to add."""
        return await self._changed("PATCH", answer, path, body, adds=False)

    async def cancel(self, answer: type[T], path: str) -> T:
        """DELETE a request, repeated if that may help: it can be cancelled again."""
        call = self.call("DELETE", path, longest=calls.MAX_PICTURES_BYTES)
        return await self._repeated(answer, call)

    async def delete(self, path: str, body: Request | None = None) -> None:
        """DELETE, repeated if that may help. What a lost attempt has deleted is deleted."""
        call = self.call("DELETE", path, body)
        maybe_done = False

        async def attempt() -> None:
            nonlocal maybe_done
            try:
                await calls.fetch(self.http, call)
            except NotFound:
                if not maybe_done:
                    raise
            except HordeError as error:
                maybe_done = maybe_done or not isinstance(error, TooMany)
                raise

        await self.retries.run(attempt)

    async def pop(self, model: type[A], path: str, offer: Request, *, wait: float) -> A:
        """POST once, for work. wait: for how many seconds the server may hold the call.

        Raises UnreadableJobs if the answer names jobs and cannot be read.
        """
        call = self.call("POST", path, offer, extra_seconds=wait, longest=calls.MAX_PICTURES_BYTES)
        content = await calls.fetch(self.http, call)
        try:
            return model.model_validate_json(content)
        except UNREADABLE as error:
            if ids := handed_out.ids(content):
                raise UnreadableJobs(ids, handed_out.complaint(error)) from None
            raise _unexpected(call.url, model, content) from None

    async def submit(
        self, path: str, result: Request, *, fault: bool
    ) -> GenerationSubmitted | None:
        """POST a job's result until the server has it. Returns None if its answer got lost."""
        call = self.call("POST", path, result)
        return await submission.run(
            lambda: self.once(GenerationSubmitted, call), self.retries, fault=fault
        )

    async def once(self, answer: type[T], call: calls.Call) -> T:
        """Make a call and read its answer. Raises UnexpectedAnswer if it is something else."""
        content = await calls.fetch(self.http, call)
        try:
            read: T = _reader(cast("Hashable", answer)).validate_json(content)
        except UNREADABLE:
            raise _unexpected(call.url, answer, content) from None
        return read

    def call(
        self,
        method: str,
        path: str,
        body: Request | None = None,
        *,
        extra_seconds: float = 0.0,
        longest: int = calls.MAX_ANSWER_BYTES,
    ) -> calls.Call:
        """Describe a call. longest: how many bytes of an answer are read."""
        headers = dict(self.headers)
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = request_json(body)
        seconds = self.timeout_seconds + extra_seconds
        return calls.Call(method, f"{self.site}{path}", headers, seconds, content, longest)

    async def _changed(
        self, method: str, answer: type[T], path: str, body: Request, *, adds: bool
    ) -> T:
        retries = self.retries.for_what_would_happen_twice() if adds else self.retries
        call = self.call(method, path, body)
        return await retries.run(lambda: self.once(answer, call))

    async def _repeated(self, answer: type[T], call: calls.Call) -> T:
        return await self.retries.run(lambda: self.once(answer, call))


def at(*parts: str | int, version: int = 2) -> str:
    """The path of an endpoint: each part is one segment, whatever is in it.

    Raises Invalid for an empty part and for one that would lead elsewhere.
    """
    for part in parts:
        if part in {"", ".", ".."}:
            raise Invalid(None, None, f"{part!r} is neither an id nor a name.")
    return f"/api/v{version}/" + "/".join(quote(str(part), safe="") for part in parts)


def filled(body: type[B], **fields: object) -> B:
    """Fill in a body. Raises Invalid in the server's own words for what no horde would take."""
    try:
        return body(**fields)
    except ValidationError as error:
        wrong = errors_of(error)
        raise Invalid(400, None, RequestValidationError(errors={}).message, wrong) from None


def key_header(api_key: str) -> dict[str, str]:
    """The header that carries a key. Raises ValueError, without the key, if none can."""
    if not (api_key.isascii() and api_key.isprintable()):
        raise ValueError("an API key has printable ASCII characters only")
    return {"apikey": api_key}


def _keyed(call: calls.Call, key: str) -> calls.Call:
    return replace(call, headers={**call.headers, "Idempotency-Key": key})


def _written(query: Query | None) -> str:
    given = {name: value for name, value in (query or {}).items() if value is not None}
    return f"?{urlencode(given)}" if given else ""


@lru_cache(maxsize=256)
def _reader(answer: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(cast("type[Any]", answer))


def _unexpected(url: str, answer: Any, content: bytes) -> UnexpectedAnswer:  # noqa: ANN401
    (kind,) = get_args(answer) or (answer,)
    wanted = f"a {kind.__name__}" if kind is answer else f"a list of {kind.__name__}"
    got = "a page for people" if content.lstrip()[:1] == b"<" else "something else"
    host = urlsplit(url).netloc.rpartition("@")[2]
    return UnexpectedAnswer(
        None, None, f"{host} answered {got} instead of {wanted}. Is it the address of a horde?"
    )
