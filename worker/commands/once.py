"""Ends the worker when one job is done."""

import asyncio

from worker.kind import Batch
from worker.progress import Display


class UntilOneIsDone:
    """Another display that tells the worker to stop as soon as it works: it finishes that."""

    def __init__(self, display: Display, stop: asyncio.Event) -> None:
        self._display = display
        self._stop = stop

    def begin(self, batch: Batch) -> None:
        """Ask for no more: this is the job."""
        self._stop.set()
        self._display.begin(batch)

    def step(self, batch: Batch, step: int, steps: int) -> None:
        """Show it."""
        self._display.step(batch, step, steps)

    def settled(self, batch: Batch, kudos: float, lost: int) -> None:
        """Show it."""
        self._display.settled(batch, kudos, lost)

    def end(self, batch: Batch, outcome: str) -> None:
        """Stop also where the job was given back before it began."""
        self._stop.set()
        self._display.end(batch, outcome)

    def say(self, sentence: str) -> None:
        """Show it."""
        self._display.say(sentence)

    def close(self) -> None:
        """Close it."""
        self._display.close()
