"""Online workers, arranged so that looking ahead costs the same for one worker and for hundreds.

A set of workers is a whole number with a bit for each: which of them serve both a request and a
lane is one `&`. What such a set can do is added up once between two looks at the workers, and which
workers may serve which needs is found out once, as long as the same workers offer the same.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Final, NamedTuple
from uuid import UUID

from core.kinds import registry
from core.queue import matching, pace
from core.queue.lanes import Lanes
from core.queue.matching import Needs, Offer
from core.queue.pace import Pace
from core.queue.rows import RunningAttempt

REMEMBERED_NEEDS: Final = 4096
MAX_TURNS: Final = 4
"""The most groups of workers that are told apart by when they become free."""
OVERDUE: Final = 0.1
"""The part of its expected time that an overdue job is expected to take still."""

Workers = int
"""A set of workers: a bit for each."""


class OnlineWorker(NamedTuple):
    """A worker that is online."""

    offer: Offer
    speed: float
    """Things a second of one thread."""
    threads: int
    pace: Pace | None = None
    """The pace of a thread at any model; None before the first job."""
    paces: Mapping[str, Pace] = {}
    """The same for each model that it has served."""

    def pace_for(self, models: frozenset[str]) -> Pace | None:
        """The worker's pace at jobs that name these models, as far as it is known."""
        known = [self.paces[model] for model in models if model in self.paces]
        return _mean(known) if known else self.pace


def _mean(paces: Sequence[Pace]) -> Pace:
    if len(paces) == 1:
        return paces[0]
    return Pace(*(sum(parts) / len(paces) for parts in zip(*paces, strict=True)))


def models_of(needs: Needs) -> frozenset[str]:
    """The models, or the forms, any of which serves these needs; empty: whatever there is."""
    return registry.of(needs.kind).models_of(needs.features) or needs.models


class Served(NamedTuple):
    """Who may serve a lane, and with which models; empty: any that they have."""

    workers: Workers
    models: frozenset[str]


class Roster:
    """Which of some workers may serve what."""

    def __init__(self, workers: Sequence[OnlineWorker]) -> None:
        self.offers = [worker.offer for worker in workers]
        self._alike: dict[Offer, Workers] = defaultdict(Workers)
        """Workers by their offers, without who they are."""
        self._bits: dict[str, Workers] = defaultdict(Workers)
        for number, offer in enumerate(self.offers):
            anybody = replace(offer, worker_id="", user_id=0, users=frozenset())
            self._alike[anybody] |= 1 << number
            self._bits[offer.worker_id] |= 1 << number
        self._with_model: dict[str, list[Offer]] = defaultdict(list)
        for offer in self._alike:
            for model in offer.models:
                self._with_model[model].append(offer)
        self._blacklists = any(offer.blacklist for offer in self._alike)
        self._able: dict[Needs, Workers] = {}
        self._served: dict[int, Served] = {}
        self._shared: dict[Workers, tuple[int, ...]] = {}
        self._version = -1

    def able(self, needs: Needs, prompt: str = "") -> Workers:
        """The workers that may serve a request with these needs and this prompt."""
        if (found := self._able.get(needs)) is None:
            if len(self._able) >= REMEMBERED_NEEDS:
                self._able.clear()
            found = self._able[needs] = self._find(needs)
        if self._blacklists and prompt and found:
            words = prompt.lower()
            for offer, workers in self._alike.items():
                if workers & found and any(word in words for word in offer.blacklist):
                    found &= ~workers
        return found

    def _find(self, needs: Needs) -> Workers:
        anybody = replace(needs, workers=frozenset(), words="")
        offers: Iterable[Offer] = self._alike
        if needs.models:
            offers = {offer for model in needs.models for offer in self._with_model.get(model, ())}
        able = 0
        for offer in offers:
            if matching.accepts(anybody, offer):
                able |= self._alike[offer]
        if needs.workers:
            named = 0
            for worker_id in needs.workers:
                named |= self._bits.get(worker_id, 0)
            able &= ~named if needs.avoid else named
        return able

    def served(self, lanes: Lanes) -> Mapping[int, Served]:
        """The workers that may serve some job of each lane; the mapping itself is never changed."""
        if self._version != lanes.version:
            self._served = {
                lane_id: self._served.get(lane_id) or self._serve(least)
                for lane_id, least in lanes.least().items()
            }
            self._version = lanes.version
            self._shared.clear()
        return self._served

    def _serve(self, least: Needs | None) -> Served:
        if least is None:
            return Served((1 << len(self.offers)) - 1, frozenset())
        return Served(self._find(least), models_of(least))

    def shared(self, lanes: Lanes, workers: Workers) -> tuple[int, ...]:
        """The lanes that any of these workers may serve."""
        served = self.served(lanes)
        if (found := self._shared.get(workers)) is None:
            if len(self._shared) >= REMEMBERED_NEEDS:
                self._shared.clear()
            found = tuple(lane_id for lane_id, its in served.items() if its.workers & workers)
            self._shared[workers] = found
        return found


class Crews:
    """What the workers that serve everybody can do, as of one look at them."""

    def __init__(
        self,
        workers: Sequence[OnlineWorker] = (),
        running: Iterable[RunningAttempt] = (),
        *,
        at: datetime | None = None,
        before: "Crews | None" = None,
        others: Sequence[OnlineWorker] = (),
    ) -> None:
        """Arrange them.

        running: as `progress.running` saw them at this moment. before: the last look.
        others: online workers that do not serve everybody; they may have running jobs.
        """
        offers = [worker.offer for worker in workers]
        keep = before is not None and before.roster.offers == offers
        self.roster: Roster = before.roster if keep and before is not None else Roster(workers)
        self._workers = workers
        self._at = at
        self._of_models = _by_model(workers)
        self._paces: dict[tuple[Workers, str, frozenset[str]], Pace] = {}
        self._threads: dict[Workers, int] = {}
        self._busy: dict[Workers, tuple[float, int]] = {}
        self._in_turn: dict[Workers, Sequence[Workers]] = {}
        self._left: dict[str, tuple[float, int]] = {}
        self.running: dict[UUID, tuple[int, float]] = {}
        """By request: how many of its jobs are running, and the seconds that they still take."""
        if at is not None:
            known = {worker.offer.worker_id: worker for worker in (*others, *workers)}
            self._add_running(running, known, at)

    def _add_running(
        self, running: Iterable[RunningAttempt], known: Mapping[str, OnlineWorker], at: datetime
    ) -> None:
        batches: dict[str, dict[tuple[datetime, UUID], list[RunningAttempt]]] = defaultdict(dict)
        for attempt in running:
            of_worker = batches[str(attempt.worker_id)]
            of_worker.setdefault((attempt.started_at, attempt.request_id), []).append(attempt)
        for worker_id, of_worker in batches.items():
            worker = known.get(worker_id)
            threads = worker.threads if worker else 1
            ahead, left = 0.0, 0.0
            for number, ((started_at, request_id), batch) in enumerate(sorted(of_worker.items())):
                expected = self._of(worker, batch[0].kind, frozenset({batch[0].model})).seconds(
                    len(batch), sum(attempt.things for attempt in batch)
                )
                if number < threads:  # otherwise it waits at the worker
                    elapsed = (at - started_at).total_seconds()
                    expected = max(expected - elapsed, OVERDUE * expected)
                until = expected if number < threads else ahead / threads + expected
                ahead += expected
                left += expected
                jobs, longest = self.running.get(request_id, (0, 0.0))
                self.running[request_id] = (jobs + len(batch), max(longest, until))
            if len(of_worker) >= threads:  # else another thread is free for the next job
                self._left[worker_id] = (left, threads)

    def _of(self, worker: OnlineWorker | None, kind: str, models: frozenset[str]) -> Pace:
        """The pace of this worker, or of all that serve the model, or the usual one."""
        found = worker.pace_for(models) if worker else None
        if found is None and worker is not None:
            mine = models & worker.offer.models if models else worker.offer.models
            others = [self._of_models[model] for model in mine if model in self._of_models]
            found = _mean(others) if others else None
        return found or pace.usual(kind)

    def threads(self, workers: Workers) -> int:
        """How many jobs they can do at once."""
        if (found := self._threads.get(workers)) is None:
            found = self._threads[workers] = sum(one.threads for one in self._each(workers))
        return found

    def pace(self, workers: Workers, kind: str, models: frozenset[str]) -> Pace:
        """The pace of all of them together, at jobs that name these models."""
        key = (workers, kind, models)
        if (found := self._paces.get(key)) is None:
            each = [(self._of(one, kind, models), one.threads) for one in self._each(workers)]
            found = self._paces[key] = pace.together(each) if each else pace.usual(kind)
        return found

    def busy(self, workers: Workers, at: datetime) -> float:
        """The seconds that their running jobs still take, one after the other."""
        if (found := self._busy.get(workers)) is None:
            each = [self._left.get(one.offer.worker_id, (0.0, 0)) for one in self._each(workers)]
            found = sum(left for left, _ in each), sum(jobs for _, jobs in each)
            self._busy[workers] = found
        left, jobs = found
        return max(0.0, left - jobs * self._since(at))

    def in_turn(self, workers: Workers) -> Sequence[Workers]:
        """The workers in groups that become free at about the same time, the first ones first.

        What one of them is still at for long keeps nobody waiting whom another can serve.
        """
        if (found := self._in_turn.get(workers)) is None:
            groups: dict[int, Workers] = defaultdict(Workers)
            rest = workers
            while rest:
                lowest = rest & -rest
                one = self._workers[lowest.bit_length() - 1]
                left, _ = self._left.get(one.offer.worker_id, (0.0, 0))
                groups[int(left / one.threads).bit_length()] |= lowest
                rest ^= lowest
            first = [groups[when] for when in sorted(groups)]
            late = sum(first[MAX_TURNS - 1 :])
            found = self._in_turn[workers] = [*first[: MAX_TURNS - 1], late] if late else first
        return found

    def left_of(self, request_id: UUID, at: datetime) -> tuple[int, float]:
        """How many jobs of the request were running, and the seconds until all are done."""
        jobs, seconds = self.running.get(request_id, (0, 0.0))
        return jobs, max(OVERDUE * seconds, seconds - self._since(at))

    def _since(self, at: datetime) -> float:
        return max(0.0, (at - self._at).total_seconds()) if self._at else 0.0

    def _each(self, workers: Workers) -> Iterator[OnlineWorker]:
        while workers:
            lowest = workers & -workers
            yield self._workers[lowest.bit_length() - 1]
            workers ^= lowest


def _by_model(workers: Iterable[OnlineWorker]) -> dict[str, Pace]:
    """The average pace of a thread at each model."""
    found: dict[str, list[Pace]] = defaultdict(list)
    for worker in workers:
        for model, its in worker.paces.items():
            found[model].append(its)
    return {model: _mean(list(islice(paces, 100))) for model, paces in found.items()}
