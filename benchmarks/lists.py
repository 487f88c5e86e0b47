"""`python -m benchmarks.lists`: what lists cost where there are many users and many workers.

Each call is made alone, over one connection. What the server keeps of its answers for some seconds
is asked in another way each time (another page), or else it is said.
"""

import argparse
from collections.abc import Iterator
from functools import partial
from itertools import cycle, islice

from benchmarks import crowd, engines, horde, processes, report
from benchmarks.client import Client
from benchmarks.measuring import Measured, measure, say
from benchmarks.report import Figures

USERS, WORKERS = 100_000, 2_000
FLOOR_CALLS = 500
PATHS = {
    "GET users, another page each time": [f"/api/v2/users?page={page}" for page in range(1, 41)],
    "GET users?sort=age, another page each time": [
        f"/api/v2/users?sort=age&page={page}" for page in range(1, 4000, 100)
    ],
    "GET workers": ["/api/v2/workers"],
    "GET workers?name=worker 7": ["/api/v2/workers?name=worker%207"],
    "GET stats/img/totals": ["/api/v2/stats/img/totals"],
    "GET stats/img/models": ["/api/v2/stats/img/models"],
    "GET stats/text/totals": ["/api/v2/stats/text/totals"],
    "GET stats/text/models": ["/api/v2/stats/text/models"],
    "GET status/models": ["/api/v2/status/models"],
    "GET status/models?type=text": ["/api/v2/status/models?type=text"],
    "GET status/performance": ["/api/v2/status/performance"],
    "version 1: GET users, 100 of them": ["/api/v1/users"],
    "version 1: GET servers": ["/api/v1/servers"],
}


def main() -> None:
    """Fill each database, and ask for each list."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lists", description=__doc__)
    parser.add_argument("--engine", choices=engines.ENGINES, action="append", help="only this one")
    parser.add_argument("--users", type=int, default=USERS)
    parser.add_argument("--workers", type=int, default=WORKERS)
    parser.add_argument("--calls", type=int, default=40, help="of each list")
    arguments = parser.parse_args()
    print(f"on {report.machine()}\nfloor: a bare route on the same server", flush=True)
    floor = [_floor()]
    found = {}
    for name in arguments.engine or engines.ENGINES:
        print(f"{name}: {arguments.users} users, {arguments.workers} workers", flush=True)
        with engines.running(name) as engine, horde.running(engine) as bench:
            crowd.fill(engine, users=arguments.users, workers=arguments.workers)
            rows = list(_rows(bench, arguments.calls))
            memory, peak = bench.process.memory()
        found[name] = Figures(rows, {"at the end": memory, "at most": peak})
    report.show(floor, found)


def _floor() -> Measured:
    with processes.running(["-m", "benchmarks.floor"], {}) as bare, Client(bare.port) as client:
        return measure("bare GET", bare, None, [partial(client.fetch, "/")] * FLOOR_CALLS)


def _rows(bench: horde.Horde, calls: int) -> Iterator[Measured]:
    with bench.client() as client:
        for what, paths in PATHS.items():
            client.fetch(paths[-1])  # what is read once in a while is read before
            chosen = islice(cycle(paths), calls)
            row = measure(
                what, bench.process, bench.engine, [partial(client.fetch, one) for one in chosen]
            )
            say(f"{row.what}: {row.p50:.1f} ms")
            yield row


if __name__ == "__main__":
    main()
