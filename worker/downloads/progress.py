"""Shows how far a download is: a bar on a terminal, else a line every so often."""

from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from worker.progress import plain

STEPS: Final = 10
SMALL_BYTES: Final = 2**20
"""Files below this are not worth a line."""


class Shown:
    """Progress of one file after the other. Use it as a context manager."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False, markup=False)
        self._bars: Progress | None = None
        self._task: TaskID | None = None
        self._name, self._size, self._told = "", 0, 0

    def __enter__(self) -> Self:
        if self._console.is_terminal and not self._console.is_dumb_terminal:
            self._bars = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                DownloadColumn(),
                TransferSpeedColumn(),
                TimeRemainingColumn(),
                console=self._console,
                transient=True,
            )
            self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def say(self, sentence: str) -> None:
        """Write a line above the bar."""
        self._console.print(plain(sentence), soft_wrap=True)

    def begin(self, name: str, size: int) -> None:
        """Another file is fetched. size: in bytes; 0: not known."""
        self._name, self._size, self._told = plain(name), size, 0
        if self._bars is not None:
            if self._task is not None:
                self._bars.remove_task(self._task)
            self._task = self._bars.add_task(self._name, total=size or None)

    def on_bytes(self, have: int, total: int) -> None:
        """So much of the file is here."""
        whole = total or self._size
        if self._bars is not None:
            if self._task is not None:
                self._bars.update(self._task, completed=have, total=whole or None)
        elif whole >= SMALL_BYTES and have * STEPS // whole > self._told:
            self._told = have * STEPS // whole
            self.say(f"{self._name}: {have / 2**20:,.0f} of {whole / 2**20:,.0f} MB")
