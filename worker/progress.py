"""Shows people what the worker does: one line a job; on a terminal, `worker.live` shows more."""

import sys
from collections.abc import Callable
from typing import Protocol

import structlog

from worker.kind import Batch

log = structlog.get_logger(__name__)


class Display(Protocol):
    """A display of the worker's activity."""

    def begin(self, batch: Batch) -> None:
        """Jobs are being rendered."""

    def step(self, batch: Batch, step: int, steps: int) -> None:
        """A step is done."""

    def settled(self, batch: Batch, kudos: float, lost: int) -> None:
        """A batch earned this; so many of its jobs were lost. Its end follows."""

    def end(self, batch: Batch, outcome: str) -> None:
        """Jobs are submitted, or will never be."""

    def say(self, sentence: str) -> None:
        """Something else to know."""

    def close(self) -> None:
        """Nothing more will be shown."""


def plain(text: str) -> str:
    """Leave out terminal commands: servers and requesters write parts of these texts."""
    return "".join(one if one.isprintable() else " " for one in text)


class Lines:
    """One line for each finished job: for files, pipes and service managers."""

    def begin(self, batch: Batch) -> None:
        """Nothing yet."""

    def step(self, batch: Batch, step: int, steps: int) -> None:
        """Nothing yet."""

    def settled(self, batch: Batch, kudos: float, lost: int) -> None:
        """The line at its end says it."""

    def end(self, batch: Batch, outcome: str) -> None:
        """Write the job's line."""
        self.say(f"{batch.title}: {outcome}")

    def say(self, sentence: str) -> None:
        """Write a line, at once."""
        sys.stdout.write(f"{plain(sentence)}\n")
        sys.stdout.flush()

    def close(self) -> None:
        """Nothing is open."""


class Unfailing:
    """Another display whose failures have no effect: a closed terminal, a full disk."""

    def __init__(self, display: Display) -> None:
        self._display = display

    def begin(self, batch: Batch) -> None:
        """Show it, if possible; like the other methods."""
        self._try(lambda: self._display.begin(batch))

    def step(self, batch: Batch, step: int, steps: int) -> None:
        """Show it, if possible."""
        self._try(lambda: self._display.step(batch, step, steps))

    def settled(self, batch: Batch, kudos: float, lost: int) -> None:
        """Show it, if possible."""
        self._try(lambda: self._display.settled(batch, kudos, lost))

    def end(self, batch: Batch, outcome: str) -> None:
        """Show it, if possible."""
        self._try(lambda: self._display.end(batch, outcome))

    def say(self, sentence: str) -> None:
        """Show it, if possible."""
        self._try(lambda: self._display.say(sentence))

    def close(self) -> None:
        """Close it, if possible."""
        self._try(self._display.close)

    def _try(self, show: Callable[[], None]) -> None:
        try:
            show()
        except Exception as error:  # noqa: BLE001 - the display must not stop the work
            log.debug("not shown", reason=type(error).__name__)
