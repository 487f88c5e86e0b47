"""A page and metrics for those who run the worker, on the loopback address and nowhere else.

`/` is for people, `/metrics` for Prometheus (its text format, version 0.0.4),
`/status.json` for programs. None of them says a key or a prompt.
"""

import asyncio
import contextlib
import html
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import asdict
from typing import Final

from worker.live import held, summary
from worker.tally import Counts

ADDRESS: Final = "127.0.0.1"
HOSTS: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
"""By which the page may be called: a page from elsewhere must not read it by a name of its own."""
MAX_HEAD_BYTES: Final = 16 * 1024
SECONDS: Final = 5.0
REFRESH_SECONDS: Final = 5


@contextlib.asynccontextmanager
async def serving(port: int, counts: Callable[[], Counts], name: str) -> AsyncIterator[int]:
    """Serve meanwhile; gives the port. Raises OSError where it is taken.

    name: the worker's.
    """

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
            async with asyncio.timeout(SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_answer(head.decode("latin-1"), counts, name))
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, ADDRESS, port, limit=MAX_HEAD_BYTES)
    async with server:
        yield int(server.sockets[0].getsockname()[1])


def _answer(head: str, counts: Callable[[], Counts], name: str) -> bytes:
    """Answer one call."""
    first, _, rest = head.partition("\r\n")
    method, _, target = first.partition(" ")
    path = target.partition(" ")[0].partition("?")[0]
    if _host(rest) not in HOSTS:
        return _response(
            "403 Forbidden", "text/plain", "call this page by 127.0.0.1 or localhost\n"
        )
    if method not in {"GET", "HEAD"}:
        return _response(
            "405 Method Not Allowed", "text/plain", "there is nothing to change here\n"
        )
    if path == "/":
        return _response("200 OK", "text/html", _page(counts(), name))
    if path == "/metrics":
        text = "\n".join(_metrics(counts())) + "\n"
        return _response("200 OK", "text/plain; version=0.0.4", text)
    if path == "/status.json":
        return _response("200 OK", "application/json", json.dumps(_plain(counts())))
    return _response("404 Not Found", "text/plain", "/, /metrics and /status.json are here\n")


def _host(headers: str) -> str:
    for line in headers.split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() == "host":
            host = value.strip()
            return host if host.endswith("]") else host.rpartition(":")[0] or host
    return ""


def _response(status: str, kind: str, text: str) -> bytes:
    content = text.encode()
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\n"
        f"Content-Length: {len(content)}\r\nX-Content-Type-Options: nosniff\r\n"
        "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n"
        "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + content


def _plain(counts: Counts) -> dict[str, object]:
    told = asdict(counts)
    for one in told["at_work"]:
        del one["began"]  # by a clock that nobody else has
    return told


def _page(counts: Counts, name: str) -> str:
    rows = "".join(
        f"<tr><td>{html.escape(one.title)}</td><td><progress max={max(one.steps, 1)} "
        f"value={one.step}></progress> {one.step}/{one.steps}</td></tr>"
        for one in counts.at_work
    )
    jobs = "".join(
        f"<tr><td>{html.escape(model)}</td><td>{number}</td></tr>"
        for model, number in sorted(counts.jobs_of.items())
    )
    models = "".join(f"<tr><td>{html.escape(held(one))}</td></tr>" for one in counts.held)
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{html.escape(name)}</title>"
        f"<meta http-equiv=refresh content={REFRESH_SECONDS}>"
        "<style>body{font:16px system-ui;max-width:50em;margin:2em auto;padding:0 1em}"
        "td{padding:.2em 1em .2em 0}</style>"
        f"<h1>{html.escape(name)}</h1><p>{html.escape(summary(counts))}</p>"
        f"<h2>At work</h2><table>{rows or '<tr><td>nothing'}</table>"
        f"<h2>In memory</h2><table>{models or '<tr><td>no model'}</table>"
        f"<h2>Done</h2><table>{jobs or '<tr><td>nothing yet'}</table></html>"
    )


def _metrics(counts: Counts) -> Iterator[str]:
    """Write the metrics; names end in their units, as Prometheus wants it."""
    yield from _metric("horde_worker_up_seconds", "gauge", "Since the start.", counts.seconds)
    yield from _metric("horde_worker_kudos_total", "counter", "Earned.", counts.kudos)
    yield from _metric("horde_worker_steps_total", "counter", "Steps taken.", counts.steps)
    yield from _metric(
        "horde_worker_busy_ratio", "gauge", "Part of the time at work.", round(counts.busy, 6)
    )
    yield from _metric(
        "horde_worker_jobs_at_work", "gauge", "Batches at work.", len(counts.at_work)
    )
    yield "# HELP horde_worker_jobs_total Jobs that are over."
    yield "# TYPE horde_worker_jobs_total counter"
    yield f'horde_worker_jobs_total{{outcome="done"}} {counts.done}'
    yield f'horde_worker_jobs_total{{outcome="lost"}} {counts.lost}'
    yield "# HELP horde_worker_model_jobs_total Jobs done, by model."
    yield "# TYPE horde_worker_model_jobs_total counter"
    for model, jobs in sorted(counts.jobs_of.items()):
        yield f'horde_worker_model_jobs_total{{model="{_label(model)}"}} {jobs}'
    yield "# HELP horde_worker_loaded_model_bytes Weights of models in memory."
    yield "# TYPE horde_worker_loaded_model_bytes gauge"
    for one in counts.held:
        parked = "yes" if one.is_parked else "no"
        labels = f'model="{_label(one.name)}",parked="{parked}"'
        yield f"horde_worker_loaded_model_bytes{{{labels}}} {one.bytes}"
    yield "# HELP horde_worker_resident_bytes Memory of a process."
    yield "# TYPE horde_worker_resident_bytes gauge"
    for process, size in counts.memory.items():
        yield f'horde_worker_resident_bytes{{process="{process}"}} {size}'


def _metric(name: str, kind: str, meaning: str, value: float) -> Iterator[str]:
    yield f"# HELP {name} {meaning}"
    yield f"# TYPE {name} {kind}"
    yield f"{name} {value}"


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
