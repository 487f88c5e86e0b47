"""Whole jobs: asked, popped, uploaded, submitted, watched, fetched; and each step alone."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks import horde
from benchmarks.client import Client
from benchmarks.horde import Horde
from benchmarks.measuring import Calls, Measured, measure, measure_together

CHECKS = 7
"""How often a client asks how far its request is, in a cycle."""
CHECK_WAITING, CHECK_DONE = "check, waiting, looked up", "check, done, looked up"
HEARTBEAT, MODELS = "/api/v2/status/heartbeat", "/api/v2/status/models"

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


@dataclass(frozen=True, slots=True)
class Clients:
    """How many ask and how many work at once."""

    asking: int = 1
    working: int = 1
    suffix: str = ""
    """What is added to the names of what is measured."""

    @contextlib.contextmanager
    def of(self, bench: Horde) -> Iterator[tuple[list[Client], list[Client]]]:
        """A connection for each who asks, and for each worker."""
        with contextlib.ExitStack() as stack:
            asking, working = (
                [stack.enter_context(bench.client(user)) for _ in range(number)]
                for user, number in (
                    (bench.requester, self.asking),
                    (bench.owner, self.working),
                )
            )
            yield asking, working


def steps(bench: Horde, times: int, clients: Clients) -> list[Measured]:
    """Each step alone, for many requests; checks of requests that wait, and that are done."""
    with clients.of(bench) as (asking, working):
        return [
            measure_together(what + clients.suffix, bench.process, bench.engine, calls)
            for what, calls in _steps(asking, working, times)
        ]


def _steps(
    asking: Sequence[Client], working: Sequence[Client], times: int
) -> Iterator[tuple[str, list[Calls]]]:
    """The steps in the order of a job's life, each with the calls of each client."""
    picture = horde.picture()
    ids: list[str] = []
    jobs: list[dict[str, Any]] = []

    def each(of: Sequence[Client], call: Callable[[Client, int], object]) -> list[Calls]:
        return [
            [partial(call, client, number) for number in range(first, times, len(of))]
            for first, client in enumerate(of)
        ]

    yield "async", each(asking, lambda client, number: ids.append(ask(client, number)))
    yield CHECK_WAITING, each(asking, lambda client, number: check(client, ids[number]))
    yield "pop", each(working, lambda client, _: jobs.append(pop(client)))
    yield (
        "upload",
        each(working, lambda client, number: client.put(jobs[number]["r2_upload"], picture)),
    )
    yield "submit", each(working, lambda client, number: submit(client, jobs[number]))
    yield CHECK_DONE, each(asking, lambda client, number: check(client, ids[number]))
    yield "check, from memory", each(asking, lambda client, _: check(client, ids[0]))
    yield "status", each(asking, lambda client, number: fetch(client, ids[number]))
    yield "pop, nothing there", each(working, lambda client, _: pop_nothing(client))
    yield "heartbeat", each(asking, lambda client, _: client.fetch(HEARTBEAT))
    yield "status/models", each(asking, lambda client, _: client.fetch(MODELS))
    known = {client: client.known(MODELS) for client in asking}
    yield "status/models, known by its tag", each(asking, lambda client, _: known[client]())


def _measured(bench: Horde, what: str, calls: Iterable[Callable[[], object]]) -> Measured:
    return measure(what, bench.process, bench.engine, calls)


def polled(steps: Iterable[Measured]) -> Measured:
    """A cycle as the sum of its steps; of its checks 4 see the request waiting and 3 done."""
    counts = {
        "async": 1,
        CHECK_WAITING: 4,
        "pop": 1,
        "upload": 1,
        "submit": 1,
        CHECK_DONE: CHECKS - 4,
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


def _cycle(requester: Client, worker: Client, picture: bytes, number: int) -> None:
    request = ask(requester, number)
    job = pop(worker)
    worker.put(job["r2_upload"], picture)
    submit(worker, job)
    for _ in range(CHECKS):
        check(requester, request)
    fetch(requester, request)


def ask(requester: Client, number: int) -> str:
    """Ask for a picture; the request's id."""
    return str(requester.post("/api/v2/generate/async", horde.asked(number))["id"])


def pop(worker: Client) -> dict[str, Any]:
    """Pop a job, which has to be there."""
    job = worker.post("/api/v2/generate/pop", horde.offered(WORKER))
    assert job["id"], f"no job, although one waits: {job['skipped']}"  # noqa: S101
    return job


def pop_nothing(worker: Client) -> None:
    """Pop where nothing waits."""
    job = worker.post("/api/v2/generate/pop", horde.offered(WORKER))
    assert not job["id"], "a job, although none should wait"  # noqa: S101


def submit(worker: Client, job: dict[str, Any]) -> None:
    """Submit a job whose picture is uploaded."""
    body = {"id": job["id"], "generation": "R2", "state": "ok", "seed": int(job["payload"]["seed"])}
    worker.post("/api/v2/generate/submit", body)


def check(requester: Client, request: str) -> None:
    """Ask how far the request is."""
    requester.get(f"/api/v2/generate/check/{request}")


def fetch(requester: Client, request: str) -> None:
    """Fetch the picture of a request that is done."""
    status = requester.get(f"/api/v2/generate/status/{request}")
    assert status["done"], f"not done: {status}"  # noqa: S101
    assert len(status["generations"][0]["img"]) > len("N/A")  # noqa: S101
