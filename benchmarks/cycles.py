"""Whole jobs: asked, popped, uploaded, submitted, watched, fetched; and each step alone."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar

from benchmarks import horde
from benchmarks.client import Client
from benchmarks.horde import Horde
from benchmarks.measuring import Measured, measure

CHECKS = 7
"""How often a client asks how far its request is, in a cycle."""
T = TypeVar("T")

WHOLE = "whole job"
POLLED = "whole job, all 7 checks looked up"
WORKER = "bench worker"


def whole(bench: Horde, times: int) -> Measured:
    """Cycles one after another, each with its 7 checks at once: most are answered from memory."""
    with bench.client(bench.requester) as requester, bench.client(bench.owner) as worker:
        cycle = partial(_cycle, requester, worker, horde.picture())
        for number in range(max(5, times // 10)):
            cycle(number)
        return _measured(bench, WHOLE, (partial(cycle, 1000 + n) for n in range(times)))


def steps(bench: Horde, times: int) -> list[Measured]:
    """Each step alone, for many requests; checks of requests that wait, and that are done."""
    picture = horde.picture()
    with bench.client(bench.requester) as requester, bench.client(bench.owner) as worker:
        ids: list[str] = []
        jobs: list[dict[str, Any]] = []
        work: list[tuple[str, Iterable[Callable[[], object]]]] = [
            ("async", (partial(_into, ids, _ask, requester, number) for number in range(times))),
            ("check, waiting, looked up", (partial(_check, requester, i) for i in ids)),
            ("pop", (partial(_into, jobs, _pop, worker) for _ in range(times))),
            ("upload", (partial(worker.put, j["r2_upload"], picture) for j in jobs)),
            ("submit", (partial(_submit, worker, j) for j in jobs)),
            ("check, done, looked up", (partial(_check, requester, i) for i in ids)),
            ("check, from memory", (partial(_check, requester, ids[0]) for _ in range(times))),
            ("status", (partial(_fetch, requester, i) for i in ids)),
            ("pop, nothing there", (partial(_pop_nothing, worker) for _ in range(times))),
        ]
        measured = [_measured(bench, what, calls) for what, calls in work]
    return [*measured, _polled(measured)]


def _measured(bench: Horde, what: str, calls: Iterable[Callable[[], object]]) -> Measured:
    return measure(what, bench.process, bench.engine, calls)


def _polled(steps: Iterable[Measured]) -> Measured:
    """A cycle as the sum of its steps; of its checks 4 see the request waiting and 3 done."""
    counts = {
        "async": 1,
        "check, waiting, looked up": 4,
        "pop": 1,
        "upload": 1,
        "submit": 1,
        "check, done, looked up": CHECKS - 4,
        "status": 1,
    }
    parts = [(step, counts[step.what]) for step in steps if step.what in counts]
    return Measured(
        POLLED,
        times=min(step.times for step, _ in parts),
        cpu=sum(step.cpu * count for step, count in parts),
        database_cpu=sum(step.database_cpu * count for step, count in parts),
        p50=sum(step.p50 * count for step, count in parts),
        p95=None,
    )


def _into(found: list[T], get: Callable[..., T], *arguments: Any) -> None:  # noqa: ANN401
    found.append(get(*arguments))


def _cycle(requester: Client, worker: Client, picture: bytes, number: int) -> None:
    request = _ask(requester, number)
    job = _pop(worker)
    worker.put(job["r2_upload"], picture)
    _submit(worker, job)
    for _ in range(CHECKS):
        _check(requester, request)
    _fetch(requester, request)


def _ask(requester: Client, number: int) -> str:
    return str(requester.post("/api/v2/generate/async", horde.asked(number))["id"])


def _pop(worker: Client) -> dict[str, Any]:
    job = worker.post("/api/v2/generate/pop", horde.offered(WORKER))
    assert job["id"], f"no job, although one waits: {job['skipped']}"  # noqa: S101
    return job


def _pop_nothing(worker: Client) -> None:
    job = worker.post("/api/v2/generate/pop", horde.offered(WORKER))
    assert not job["id"], "a job, although none should wait"  # noqa: S101


def _submit(worker: Client, job: dict[str, Any]) -> None:
    body = {"id": job["id"], "generation": "R2", "state": "ok", "seed": int(job["payload"]["seed"])}
    worker.post("/api/v2/generate/submit", body)


def _check(requester: Client, request: str) -> None:
    requester.get(f"/api/v2/generate/check/{request}")


def _fetch(requester: Client, request: str) -> None:
    status = requester.get(f"/api/v2/generate/status/{request}")
    assert status["done"], f"not done: {status}"  # noqa: S101
    assert len(status["generations"][0]["img"]) > len("N/A")  # noqa: S101
