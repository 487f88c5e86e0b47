"""How soon a waiting worker gets a request that comes in."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks import horde
from benchmarks.horde import Horde
from benchmarks.measuring import Measured, measure, quantile

WAIT_SECONDS = 20
SETTLE_SECONDS = 0.1
"""A pop that was sent so long ago waits in the server."""


def start_latency(bench: Horde, times: int) -> Measured:
    """From sending a request to the answer of the pop that waited for it."""
    took: list[float] = []
    body = horde.offered("waiting worker", wait=WAIT_SECONDS)
    with (
        bench.client(bench.requester) as requester,
        bench.client(bench.owner) as worker,
        ThreadPoolExecutor(1) as pool,
    ):

        def answered(sent: threading.Event) -> float:
            sent.set()
            job = worker.post("/api/v2/generate/pop", body)
            now = time.perf_counter()
            assert job["id"], "a waiting pop came back without work"  # noqa: S101
            give_back = {"id": job["id"], "generation": "faulted", "state": "faulted", "seed": 0}
            worker.post("/api/v2/generate/submit", give_back)
            return now

        def once(number: int) -> None:
            sent = threading.Event()
            popping = pool.submit(answered, sent)
            sent.wait()
            time.sleep(SETTLE_SECONDS)
            start = time.perf_counter()
            request = requester.post("/api/v2/generate/async", horde.asked(number))["id"]
            took.append((popping.result() - start) * 1e3)
            requester.delete(f"/api/v2/generate/status/{request}")

        rounds = (lambda n=n: once(n) for n in range(times))
        measured = measure("", bench.process, bench.engine, rounds)
    return Measured(
        "worker starts, after its request was sent",
        times=times,
        cpu=measured.cpu,
        database_cpu=measured.database_cpu,
        p50=quantile(took, 0.5),
        p95=quantile(took, 0.95),
    )
