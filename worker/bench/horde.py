"""A horde on the loopback address that has a fixed row of jobs and keeps the time."""

import json
import threading
import time
from collections import deque
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self

from worker.bench.jobs import Job

POP: Final = "/api/v2/generate/pop"
SUBMIT: Final = "/api/v2/generate/submit"


class FixedHorde:
    """Hands out jobs of a model, and is told about each. Use it as a context manager.

    side: pixels of the pictures.
    The clock runs from the end of the first job, by which everything is warm, to that of the last.
    """

    def __init__(self, jobs: Sequence[Job], *, model: str, side: int) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._jobs = deque(job.answer(model, side, self.url) for job in jobs)
        self._count = len(jobs)
        self._ends: list[float] = []
        self._failed: list[str] = []
        self._lock = threading.Lock()
        self.done = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.done.set()  # whoever waits for it in a thread ends, too
        self._server.shutdown()
        self._server.server_close()

    @property
    def seconds_a_picture(self) -> float:
        """How long one took, with everything around it."""
        return (self._ends[-1] - self._ends[0]) / (len(self._ends) - 1)

    @property
    def failures(self) -> list[str]:
        """Why jobs were given back."""
        return self._failed

    def pop(self) -> dict[str, Any]:
        """Give the next job, or none."""
        with self._lock:
            return self._jobs.popleft() if self._jobs else {"id": None, "ids": [], "payload": {}}

    def submitted(self, result: dict[str, Any]) -> None:
        """A job is over."""
        with self._lock:
            self._ends.append(time.perf_counter())
            if result.get("state") != "ok":
                self._failed.append(str(result.get("gen_metadata")))
            if len(self._ends) >= self._count:
                self.done.set()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        horde = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:  # noqa: ANN401 - of any format
                pass

            def do_GET(self) -> None:
                self._answer(404, b"{}")

            def do_POST(self) -> None:
                body = self._body()
                if self.path == POP:
                    self._answer(200, json.dumps(horde.pop()).encode())
                elif self.path == SUBMIT:
                    horde.submitted(json.loads(body))
                    self._answer(200, b'{"reward": 1.0}')
                else:
                    self._answer(404, b"{}")

            def do_PUT(self) -> None:
                self._body()
                self._answer(200, b"")

            def _body(self) -> bytes:
                return self.rfile.read(int(self.headers["Content-Length"]))

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        return Handler
