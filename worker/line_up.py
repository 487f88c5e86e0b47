"""Which models are offered: those that were seen to make something, without those that rest."""

import time
from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from worker.renderer import Model

FIRST_REST_SECONDS: Final = 15 * 60.0
MAX_REST_SECONDS: Final = 4 * 60 * 60.0
"""The pause doubles each time that nothing was made in between."""
MAX_BROKEN: Final = 3
"""Results in a row that were none, after which a model rests."""
MAX_DEATHS_OF_JOB: Final = 2
"""Of the engine at one and the same work, whoever's fault they are: it is not tried again."""
MAX_REMEMBERED: Final = 1000


@dataclass(frozen=True)
class _Resting:
    """A model that rests. until: by `time.monotonic()`."""

    until: float
    model: Model
    is_proven: bool


class LineUp:
    """The models of a worker.

    A job that kills the engine comes back to a worker that is alone on its horde, so deaths say
    little about a model: it rests and is offered again, and no job removes it for good.

    max_deaths: of the engine in a row on one model, after which it rests.
    """

    def __init__(self, models: Mapping[str, Model], *, max_deaths: int) -> None:
        self._unproven = dict(models)
        self._dropped: dict[str, Model] = {}
        self._offered: dict[str, Model] = {}
        self._max_deaths = max_deaths
        self._deaths: Counter[str] = Counter()
        self._broken: Counter[str] = Counter()
        self._rests: Counter[str] = Counter()
        self._resting: dict[str, _Resting] = {}

    @property
    def offered(self) -> Mapping[str, Model]:
        """The models that can be used now, by name."""
        self._wake()
        return self._offered

    @property
    def unproven(self) -> Mapping[str, Model]:
        """Those that nobody has seen at work, by name: they are not offered."""
        self._wake()
        return self._unproven

    @property
    def is_empty(self) -> bool:
        """Whether no model will be offered again."""
        return not self._offered and not self._resting and not self._unproven

    def seconds_to_next(self) -> float:
        """How long until the first resting model is back."""
        now = time.monotonic()
        return max(0.0, min((one.until - now for one in self._resting.values()), default=0.0))

    def proved(self, name: str) -> None:
        """It was seen at work: it is offered."""
        if name in self._unproven:
            self._offered[name] = self._unproven.pop(name)

    def succeeded(self, name: str) -> None:
        """Record that something was made with it."""
        self._deaths[name] = self._broken[name] = self._rests[name] = 0

    def died(self, name: str) -> float:
        """Count a death of the engine. Returns for how many minutes the model now rests, or 0."""
        self._deaths[name] += 1
        return self.rest(name) if self._deaths[name] >= self._max_deaths else 0.0

    def broke(self, name: str) -> float:
        """Count a result that is none; gives for how many minutes the model now rests, 0 if not."""
        self._broken[name] += 1
        return self.rest(name) if self._broken[name] >= MAX_BROKEN else 0.0

    def rest(self, name: str) -> float:
        """Let it rest; gives for how many minutes, 0 where it is not here."""
        is_proven = name in self._offered
        model = self._offered.pop(name, None) or self._unproven.pop(name, None)
        if model is None:
            return 0.0
        seconds = min(FIRST_REST_SECONDS * 2.0 ** self._rests[name], MAX_REST_SECONDS)
        self._deaths[name] = self._broken[name] = 0
        self._rests[name] += 1
        self._resting[name] = _Resting(time.monotonic() + seconds, model, is_proven)
        return seconds / 60

    def drop(self, name: str) -> None:
        """Stop offering it."""
        for there in (self._offered, self._unproven):
            if (model := there.pop(name, None)) is not None:
                self._dropped[name] = model
        self._resting.pop(name, None)

    def change(self, models: Mapping[str, Model]) -> None:
        """Have these from now on; new ones are to be proved, and one that was dropped is not back.

        A model that lies elsewhere now is new.
        """
        known = (self._offered, self._unproven, self._resting)
        for there in known:
            for gone in there.keys() - models.keys():
                del there[gone]
        for name, model in models.items():
            if name in self._resting:
                self._resting[name] = replace(self._resting[name], model=model)
            elif self._offered.get(name) != model and self._dropped.get(name) != model:
                self._offered.pop(name, None)
                self._unproven[name] = model

    def _wake(self) -> None:
        """Take back those that have rested."""
        for name, resting in list(self._resting.items()):
            if resting.until <= time.monotonic():
                del self._resting[name]
                there = self._offered if resting.is_proven else self._unproven
                there[name] = resting.model


class Deadly:
    """Remembers at which work the engine died, so that one job does not end it for ever."""

    def __init__(self) -> None:
        self._deaths: OrderedDict[str, int] = OrderedDict()

    def count(self, likeness: str) -> None:
        """The engine died at this work."""
        self._deaths[likeness] = self._deaths.pop(likeness, 0) + 1
        while len(self._deaths) > MAX_REMEMBERED:
            self._deaths.popitem(last=False)

    def __contains__(self, likeness: str) -> bool:
        """Whether it is not to be tried again."""
        return bool(likeness) and self._deaths.get(likeness, 0) >= MAX_DEATHS_OF_JOB
