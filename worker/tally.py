"""Counts what the worker does, for those who look on."""

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from worker.kind import Batch
from worker.memory import resident
from worker.progress import Display
from worker.renderer import Held

HOUR: Final = 3600.0


@dataclass
class AtWork:
    """A batch that is being made. began: by `time.monotonic()`."""

    title: str
    model: str
    step: int
    steps: int
    began: float


@dataclass(frozen=True)
class Counts:
    """What there is to know at a moment.

    kudos_an_hour: of the last hour, or of all the time where that is less.
    busy: the part of the time, 0 to 1, in which something was made.
    memory: resident bytes by process, as far as the system tells.
    held: the models in the engine's memory.
    """

    seconds: float
    done: int
    lost: int
    steps: int
    kudos: float
    kudos_an_hour: float
    busy: float
    at_work: tuple[AtWork, ...]
    jobs_of: Mapping[str, int]
    memory: Mapping[str, int]
    held: tuple[Held, ...] = ()


@dataclass
class Tally:
    """Another display that counts what it is shown.

    engine: gives the engine's process id, where there is one. held: the models in its memory.
    """

    display: Display
    engine: Callable[[], int | None] = field(default=lambda: None)
    held: Callable[[], tuple[Held, ...]] = field(default=tuple)

    def __post_init__(self) -> None:
        self._began = time.monotonic()
        self._done = self._lost = self._steps = 0
        self._kudos = self._busy = 0.0
        self._since: float | None = None  # something is made, without a pause
        self._lately: deque[tuple[float, float]] = deque()
        self._at_work: dict[tuple[str, ...], AtWork] = {}
        self._jobs_of: Counter[str] = Counter()

    def begin(self, batch: Batch) -> None:
        """Jobs are being rendered."""
        now = time.monotonic()
        self._at_work[batch.ids] = AtWork(batch.title, batch.model, 0, batch.steps, now)
        if self._since is None:
            self._since = now
        self.display.begin(batch)

    def step(self, batch: Batch, step: int, steps: int) -> None:
        """A step is done."""
        if (here := self._at_work.get(batch.ids)) is not None:
            self._steps += max(0, step - here.step)  # one may be told several times
            here.step, here.steps = step, steps
        self.display.step(batch, step, steps)

    def settled(self, batch: Batch, kudos: float, lost: int) -> None:
        """A batch has earned something, or nothing."""
        self._lost += lost
        self._done += len(batch.ids) - lost
        self._jobs_of[batch.model] += len(batch.ids) - lost
        if kudos:
            self._kudos += kudos
            self._lately.append((time.monotonic(), kudos))
        self.display.settled(batch, kudos, lost)

    def end(self, batch: Batch, outcome: str) -> None:
        """Jobs are submitted, or will never be."""
        self._at_work.pop(batch.ids, None)
        if not self._at_work and self._since is not None:
            self._busy += time.monotonic() - self._since
            self._since = None
        self.display.end(batch, outcome)

    def say(self, sentence: str) -> None:
        """Something else to know."""
        self.display.say(sentence)

    def close(self) -> None:
        """Nothing more will be shown."""
        self.display.close()

    def counts(self) -> Counts:
        """Say how things are."""
        now = time.monotonic()
        seconds = max(now - self._began, 1e-9)
        while self._lately and self._lately[0][0] < now - HOUR:
            self._lately.popleft()
        busy = self._busy + (now - self._since if self._since is not None else 0.0)
        processes = {"control": resident(None)}
        if (pid := self.engine()) is not None:
            processes["engine"] = resident(pid)
        return Counts(
            seconds=seconds,
            done=self._done,
            lost=self._lost,
            steps=self._steps,
            kudos=self._kudos,
            kudos_an_hour=sum(one for _, one in self._lately) * HOUR / min(seconds, HOUR),
            busy=min(1.0, busy / seconds),
            at_work=tuple(self._at_work.values()),
            jobs_of=dict(self._jobs_of),
            memory={name: size for name, size in processes.items() if size is not None},
            held=self.held(),
        )
