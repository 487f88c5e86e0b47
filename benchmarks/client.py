"""A client that costs little: one connection of the standard library, one request at a time."""

import http.client
import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import urlsplit

SECONDS = 60


class Unexpected(RuntimeError):
    """The server answered something else than what the benchmark is about."""


class Client:
    """A kept-alive connection to a server on this machine, as one user."""

    def __init__(self, port: int, key: str = "") -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        self._headers = {"apikey": key} if key else {}
        self._tag = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def get(self, path: str) -> dict[str, Any]:
        """GET a path; the answer's JSON."""
        return self._json("GET", path, None, {})

    def fetch(self, path: str) -> bytes:
        """GET a path; the answer as it came, as reading megabytes of JSON would be measured too."""
        return self._send("GET", path, None, {})

    def known(self, path: str) -> Callable[[], bytes]:
        """A GET of what the client has already, which the server need not send again."""
        self.fetch(path)
        known = {"If-None-Match": self._tag}
        return lambda: self._send("GET", path, None, known, HTTPStatus.NOT_MODIFIED)

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """POST JSON to a path; the answer's JSON."""
        encoded = json.dumps(body).encode()
        return self._json("POST", path, encoded, {"Content-Type": "application/json"})

    def delete(self, path: str) -> dict[str, Any]:
        """DELETE a path; the answer's JSON."""
        return self._json("DELETE", path, None, {})

    def put(self, url: str, content: bytes) -> None:
        """PUT bytes to an absolute URL of the same server."""
        parts = urlsplit(url)
        self._send("PUT", f"{parts.path}?{parts.query}", content, {"Content-Type": "image/webp"})

    def _json(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._send(method, path, body, headers))
        return answer

    def _send(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: dict[str, str],
        expected: HTTPStatus | None = None,
    ) -> bytes:
        self._connection.request(method, path, body, self._headers | headers)
        response = self._connection.getresponse()
        content = response.read()
        self._tag = response.headers.get("ETag", "")
        if response.status >= HTTPStatus.BAD_REQUEST or expected not in (None, response.status):
            raise Unexpected(f"{method} {path}: {response.status} {content[:300]!r}")
        return content
