"""Many clients at once: 16 who ask and 8 workers, beside one of each; and 400 workers online.

What they do at once ought to cost no more than what one does alone.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

from benchmarks import crowd, cycles, horde
from benchmarks.client import Client
from benchmarks.cycles import Clients
from benchmarks.horde import Horde
from benchmarks.measuring import Measured, spending

ALONE = Clients()
MANY = Clients(16, 8, ", 16 and 8 at once")
IDLE = 400
BESIDE_IDLE = Clients(1, 1, f", beside {IDLE} idle workers")
JOB = "job with one check"
AHEAD = 64
"""So many jobs wait or are worked on at most: enough for each worker, and no deep queue."""
SECONDS = 60
SEEN_SECONDS = 3
"""After so long a server has seen who came online."""


def rows(bench: Horde, jobs: int, times: int) -> Iterator[Measured]:
    """Whole jobs and single steps: alone, at once, and alone beside many who are online."""
    _jobs(bench, ALONE, max(5, jobs // 10))  # prepares what is prepared once
    _jobs(bench, MANY, max(40, jobs // 10))
    yield _jobs(bench, ALONE, jobs)
    yield _jobs(bench, MANY, jobs)
    yield from cycles.steps(bench, times, ALONE)
    yield from cycles.steps(bench, times, MANY)
    crowd.fill(bench.engine, users=IDLE, workers=IDLE, used=False)
    time.sleep(SEEN_SECONDS)
    _jobs(bench, BESIDE_IDLE, max(5, jobs // 10))
    yield _jobs(bench, BESIDE_IDLE, jobs)
    yield _jobs(bench, Clients(MANY.asking, MANY.working, MANY.suffix + BESIDE_IDLE.suffix), jobs)
    yield from cycles.steps(bench, times, BESIDE_IDLE)


def _jobs(bench: Horde, clients: Clients, times: int) -> Measured:
    """So many jobs from being asked to being fetched, each checked once as it waits."""
    rush = _Rush()
    with clients.of(bench) as (asking, working), spending(bench.process, bench.engine) as spent:
        if clients.asking == clients.working == 1:
            for number in range(times):
                rush.ask(asking[0], number)
                rush.work(working[0])
                rush.fetch(asking[0])
        else:
            _at_once(rush, asking, working, times)
    return spent.each(JOB + clients.suffix, rush.took)


def _at_once(
    rush: "_Rush", asking: Sequence[Client], working: Sequence[Client], times: int
) -> None:
    def ask(first: int) -> None:
        client, due = asking[first], 0
        for number in range(first, times, len(asking)):
            rush.ask(client, number)
            due += 1
            while due and rush.has_finished:
                rush.fetch(client)
                due -= 1
        for _ in range(due):
            rush.fetch(client)

    def work(first: int) -> None:
        for _ in range(first, times, len(working)):
            rush.work(working[first])

    with ThreadPoolExecutor(len(asking) + len(working)) as pool:
        sides = [pool.submit(ask, first) for first in range(len(asking))]
        sides += [pool.submit(work, first) for first in range(len(working))]
        for side in sides:
            side.result()


class _Rush:
    """Jobs between those who ask and those who work: nobody pops in vain."""

    def __init__(self) -> None:
        self._room, self._asked = threading.Semaphore(AHEAD), threading.Semaphore(0)
        self._ids: dict[int, str] = {}
        self._began: dict[int, float] = {}
        self._finished: SimpleQueue[int] = SimpleQueue()
        self._picture = horde.picture()
        self.took: list[float] = []
        """Milliseconds of each job from being asked to being fetched."""

    @property
    def has_finished(self) -> bool:
        """Whether something is to be fetched."""
        return not self._finished.empty()

    def ask(self, client: Client, number: int) -> None:
        """Ask for a picture, as soon as there is room in the queue, and check it."""
        assert self._room.acquire(timeout=SECONDS), "nobody works"  # noqa: S101
        self._began[number] = time.perf_counter()
        self._ids[number] = cycles.ask(client, number)
        self._asked.release()
        cycles.check(client, self._ids[number])

    def work(self, client: Client) -> None:
        """Serve a job that waits, as soon as one does."""
        assert self._asked.acquire(timeout=SECONDS), "nobody asks"  # noqa: S101
        job = cycles.pop(client)
        client.put(job["r2_upload"], self._picture)
        cycles.submit(client, job)
        self._room.release()
        self._finished.put(int(job["payload"]["seed"]))

    def fetch(self, client: Client) -> None:
        """Fetch what is finished, as soon as something is."""
        number = self._finished.get(timeout=SECONDS)
        while number not in self._ids:  # the worker may be faster than the answer to who asked
            time.sleep(0.001)
        cycles.fetch(client, self._ids[number])
        self.took.append((time.perf_counter() - self._began[number]) * 1e3)
