"""Pops from a queue of 100 to 100,000 waiting jobs: by workers that match, and that do not.

After every few pops what was popped waits again, so that the depth stays what it says. The first
pops of workers with blacklists stand for themselves; then jobs are put aside for their words.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from benchmarks import filling, horde
from benchmarks.client import Client
from benchmarks.filling import Filler
from benchmarks.horde import Horde
from benchmarks.measuring import Measured, measure, say

ROUND = 20
"""Pops until what was popped waits again."""
WARM_UP = 5

OFFERS: Mapping[str, dict[str, Any]] = {
    "matching": horde.offered("deep matching", *filling.MODELS),
    "matching, with a blacklist": horde.offered(
        "deep careful", *filling.MODELS, blacklist=["something else"]
    ),
    "nothing: other model": horde.offered("deep other", filling.UNASKED),
    "nothing: too small": horde.offered("deep small", *filling.MODELS, max_pixels=256 * 256),
}
"""What the popping workers serve."""
PICKY: Mapping[str, dict[str, Any]] = {
    "matching, behind what is blacklisted": horde.offered(
        "deep picky", *filling.MODELS, blacklist=[filling.WORD]
    ),
    "nothing: all blacklisted": horde.offered(
        "deep pickier", *filling.MODELS, blacklist=[filling.WORD, filling.RARE_WORD]
    ),
}
"""The same of workers for whom jobs are put aside."""
IDLE_SECONDS = 11
"""After so long without a job put aside there is none left: upkeep looks every 5 s."""
SORTED_SECONDS = 45
"""After so long it is measured anyway."""


def pops(bench: Horde, depths: tuple[int, ...], times: int) -> Iterator[Measured]:
    """Fill up to each depth and pop, `times` times by each worker."""
    filler = Filler(bench.engine)
    for depth in depths:
        say(f"filling the queue up to {depth:,} jobs")
        filler.fill(depth)
        for what, offer in PICKY.items():
            with bench.client(bench.owner) as worker:
                pop = partial(worker.post, "/api/v2/generate/pop", offer)
                name = f"first pop at {depth:,}, {what}"
                yield measure(name, bench.process, bench.engine, [pop])
        filler.put_back()
        say(f"jobs are put aside for their words: {_wait_until_sorted(filler):.0f} s")
        for what, offer in {**OFFERS, **PICKY}.items():
            with bench.client(bench.owner) as worker:
                calls = _pops(worker, filler, offer, times)
                name = f"pop at {depth:,}, {what}"
                yield measure(name, bench.process, bench.engine, calls)


def _wait_until_sorted(filler: Filler) -> float:
    """Wait until no more jobs are put aside; the seconds until the last one was."""
    start = last = time.monotonic()
    together = filler.together()
    while last + IDLE_SECONDS > time.monotonic() < start + SORTED_SECONDS:
        time.sleep(1)
        if (left := filler.together()) < together:
            together, last = left, time.monotonic()
    return last - start


def _pops(
    worker: Client, filler: Filler, offer: dict[str, Any], times: int
) -> Iterator[Callable[[], object]]:
    pop = partial(worker.post, "/api/v2/generate/pop", offer)
    for _ in range(WARM_UP):
        pop()
    for number in range(times):
        if number % ROUND == 0:
            filler.put_back()
        yield pop
    filler.put_back()
