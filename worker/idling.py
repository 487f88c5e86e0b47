"""How a worker paces itself, and how long it waits after a pop that brought nothing."""

import random
from dataclasses import dataclass
from typing import Final

MOST: Final = 5.0
"""Times the least pause: as long as a server is left alone that does not hold calls for work."""


@dataclass(frozen=True)
class Habits:
    """The habits of a worker.

    idle_seconds: the least time from a pop in vain to the next.
    ahead_seconds: how long before a batch's end the next is popped.
    max_deaths: of the engine in a row on one model, after which the model rests.
    """

    idle_seconds: float
    ahead_seconds: float
    max_deaths: int


class Idling:
    """Pauses between pops in vain.

    A server of this project holds a pop until there is work, so the next may follow at once. Others
    answer at once: those are asked less and less often, up to MOST times less, until there is work.

    least_seconds: from one pop in vain to the next.
    """

    def __init__(self, least_seconds: float) -> None:
        self._least = least_seconds
        self._vain = 0

    def worked(self) -> None:
        """There was work, so there may be more."""
        self._vain = 0

    def seconds(self, took_seconds: float) -> float:
        """Say how long to wait. took_seconds: how long the last pop took, in vain."""
        if took_seconds >= self._least:
            self._vain = 0
            return 0.0
        longest = self._least * min(2.0**self._vain, MOST)
        self._vain = min(self._vain + 1, 10)
        # A quarter of it is chance, so that workers which began together do not stay together.
        return max(self._least, longest * random.uniform(0.75, 1)) - took_seconds  # noqa: S311
