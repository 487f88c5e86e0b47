"""Which models are offered: those that load, without those that rest."""

import time
from collections import Counter
from collections.abc import Mapping
from typing import Final

from worker.renderer import Model

FIRST_REST_SECONDS: Final = 15 * 60.0
MAX_REST_SECONDS: Final = 4 * 60 * 60.0
"""It doubles each time that nothing was made in between."""


class LineUp:
    """The models of a worker.

    A job that kills the engine comes back to the worker that is alone on its horde, so deaths say
    little about a model: it rests and is offered again, and no job takes it away for good.

    max_deaths: of the engine in a row on one model, after which it rests.
    """

    def __init__(self, models: Mapping[str, Model], *, max_deaths: int) -> None:
        self._offered = dict(models)
        self._max_deaths = max_deaths
        self._deaths: Counter[str] = Counter()
        self._rests: Counter[str] = Counter()
        self._dropped: dict[str, Model] = {}
        self._resting: dict[str, tuple[float, Model]] = {}  # until when, by `time.monotonic()`

    @property
    def offered(self) -> Mapping[str, Model]:
        """Those that can be rendered now, by name."""
        for name, (until, model) in list(self._resting.items()):
            if until <= time.monotonic():
                del self._resting[name]
                self._offered[name] = model
        return self._offered

    @property
    def is_empty(self) -> bool:
        """Whether no model will be offered again."""
        return not self._offered and not self._resting

    def seconds_to_next(self) -> float:
        """How long until the first of those that rest is back."""
        now = time.monotonic()
        return max(0.0, min((until - now for until, _ in self._resting.values()), default=0.0))

    def succeeded(self, name: str) -> None:
        """Something was made with it."""
        self._deaths[name] = self._rests[name] = 0

    def died(self, name: str) -> float:
        """Count a death of the engine; gives for how many minutes the model now rests, 0 if not."""
        self._deaths[name] += 1
        if self._deaths[name] < self._max_deaths or name not in self._offered:
            return 0.0
        seconds = min(FIRST_REST_SECONDS * 2.0 ** self._rests[name], MAX_REST_SECONDS)
        self._deaths[name] = 0
        self._rests[name] += 1
        self._resting[name] = (time.monotonic() + seconds, self._offered.pop(name))
        return seconds / 60

    def drop(self, name: str) -> None:
        """Offer it no more."""
        if (model := self._offered.pop(name, None)) is not None:
            self._dropped[name] = model
        self._resting.pop(name, None)

    def change(self, models: Mapping[str, Model]) -> None:
        """Offer these from now on; one that was dropped only where it is another now."""
        for gone in self._offered.keys() - models.keys():
            del self._offered[gone]
        for name, model in models.items():
            if name in self._resting:
                self._resting[name] = (self._resting[name][0], model)
            elif self._dropped.get(name) != model:
                self._offered[name] = model
        for gone in self._resting.keys() - models.keys():
            del self._resting[gone]
