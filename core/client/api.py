"""How every endpoint is called: where, with which headers, how often, and how answers are read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import quote

import httpx
from pydantic import ValidationError
from pydantic_core import from_json

from core.client import calls, submission
from core.client.errors import UnexpectedAnswer
from core.client.retries import Retries
from core.wire.model import Answer, Request, request_json
from core.wire.submit import GenerationSubmitted

A = TypeVar("A", bound=Answer)


@dataclass(frozen=True)
class Api:
    """One horde's API, called with one key.

    root: the URL that paths are put behind.
    headers: of every call; the key is among them.
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
        """Say what is to be called; content: JSON."""
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

    async def get(self, model: type[A], path: str) -> A:
        """GET, repeated where that may help."""
        return read(model, await self._repeated(self.call("GET", path)))

    async def delete(self, model: type[A], path: str) -> A:
        """DELETE, repeated where that may help."""
        return read(model, await self._repeated(self.call("DELETE", path)))

    async def get_list(self, model: type[A], path: str) -> list[A]:
        """GET what is an array, repeated where that may help."""
        content = await self._repeated(self.call("GET", path))
        try:
            return [model.model_validate(one) for one in from_json(content)]
        except (TypeError, ValueError):
            raise _unexpected(model) from None

    async def submit(
        self, path: str, result: Request, *, fault: bool
    ) -> GenerationSubmitted | None:
        """POST what came of a job, until the server has it; None: it has, its answer got lost."""
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
    """Read an answer. Raises UnexpectedAnswer where it is something else."""
    try:
        return model.model_validate_json(content)
    except ValidationError:
        raise _unexpected(model) from None


def _unexpected(model: type[Answer]) -> UnexpectedAnswer:
    return UnexpectedAnswer(None, None, f"the answer is no {model.__name__}")
