"""Calls to endpoints: where, with which headers, how often, and how answers are read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import quote

import httpx
from pydantic_core import from_json

from core.client import calls, handed_out, submission
from core.client.errors import UnexpectedAnswer, UnreadableJobs
from core.client.retries import Retries
from core.wire.model import Answer, Request, request_json
from core.wire.submit import GenerationSubmitted

A = TypeVar("A", bound=Answer)

UNREADABLE: Final = (ValueError, ArithmeticError, RecursionError)
"""Errors for an answer of another form: pydantic's own error is a ValueError."""


@dataclass(frozen=True)
class Api:
    """One horde's API, called with one key.

    root: the URL to which paths are appended.
    headers: of every call, with the key.
    timeout_seconds: for each attempt, from connecting to the last byte.
    """

    http: httpx.AsyncClient
    root: str
    headers: Mapping[str, str]
    timeout_seconds: float
    retries: Retries

    def call(
        self, method: str, path: str, content: bytes | None = None, *, extra_seconds: float = 0.0
    ) -> calls.Call:
        """Describe a call. content: JSON."""
        headers = dict(self.headers)
        if content is not None:
            headers["Content-Type"] = "application/json"
        seconds = self.timeout_seconds + extra_seconds
        return calls.Call(method, f"{self.root}{path}", headers, seconds, content)

    async def post(
        self, model: type[A], path: str, body: Request, *, extra_seconds: float = 0.0
    ) -> A:
        """POST once."""
        call = self.call("POST", path, request_json(body), extra_seconds=extra_seconds)
        return await self.once(model, call)

    async def pop(self, model: type[A], path: str, offer: Request, *, wait: float) -> A:
        """POST once, for work. wait: for how many seconds the server may hold the call.

        Raises UnreadableJobs if the answer names jobs and cannot be read.
        """
        call = self.call("POST", path, request_json(offer), extra_seconds=wait)
        content = await calls.fetch(self.http, call)
        try:
            return model.model_validate_json(content)
        except UNREADABLE as error:
            if ids := handed_out.ids(content):
                raise UnreadableJobs(ids, handed_out.complaint(error)) from None
            raise _unexpected(model) from None

    async def get(self, model: type[A], path: str) -> A:
        """GET, repeated if that may help."""
        return read(model, await self._repeated(self.call("GET", path)))

    async def delete(self, model: type[A], path: str) -> A:
        """DELETE, repeated if that may help."""
        return read(model, await self._repeated(self.call("DELETE", path)))

    async def get_list(self, model: type[A], path: str) -> list[A]:
        """GET an array, repeated if that may help."""
        content = await self._repeated(self.call("GET", path))
        try:
            return [model.model_validate(one) for one in from_json(content)]
        except (TypeError, *UNREADABLE):
            raise _unexpected(model) from None

    async def submit(
        self, path: str, result: Request, *, fault: bool
    ) -> GenerationSubmitted | None:
        """POST a job's result until the server has it. Returns None if its answer got lost."""
        call = self.call("POST", path, request_json(result))
        return await submission.run(
            lambda: self.once(GenerationSubmitted, call), self.retries, fault=fault
        )

    async def once(self, model: type[A], call: calls.Call) -> A:
        """Make a call and read its answer."""
        return read(model, await calls.fetch(self.http, call))

    async def _repeated(self, call: calls.Call) -> bytes:
        return await self.retries.run(lambda: calls.fetch(self.http, call))


def segment(text: str) -> str:
    """Write a text as one segment of a path."""
    return quote(text, safe="")


def read(model: type[A], content: bytes) -> A:
    """Read an answer. Raises UnexpectedAnswer if it is something else."""
    try:
        return model.model_validate_json(content)
    except UNREADABLE:
        raise _unexpected(model) from None


def _unexpected(model: type[Answer]) -> UnexpectedAnswer:
    return UnexpectedAnswer(None, None, f"expected a {model.__name__}")
