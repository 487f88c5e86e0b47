"""The live view on a terminal: a bar for each job at work, and a line of how things are."""

from collections.abc import Callable
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Column
from rich.text import Text

from worker.kind import Batch
from worker.progress import plain
from worker.renderer import Held
from worker.tally import Counts

REFRESHES_A_SECOND = 2
MB = 2**20
MAX_NAMED = 3
MAX_BAR = 40
BAR_SHARE = 5
"""Of the terminal's columns: the words take the rest, in several lines if need be."""


class LiveView:
    """Shows what is at work below the lines of what is over.

    counts: gives how things are; None until somebody counts.
    """

    def __init__(self, console: Console) -> None:
        self.counts: Callable[[], Counts] | None = None
        self._bars = Progress(
            TextColumn("{task.description}", markup=False, table_column=Column(overflow="fold")),
            BarColumn(min(MAX_BAR, console.width // BAR_SHARE), table_column=Column(no_wrap=True)),
            MofNCompleteColumn(table_column=Column(no_wrap=True)),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}
        self._live = Live(
            console=console,
            get_renderable=self._shown,
            refresh_per_second=REFRESHES_A_SECOND,
            transient=True,
        )
        self._live.start()

    @classmethod
    def on_terminal(cls) -> Self | None:
        """A view, where standard output is a terminal that can show it."""
        console = Console(highlight=False, markup=False)
        return cls(console) if console.is_terminal and not console.is_dumb_terminal else None

    def begin(self, batch: Batch) -> None:
        """Add a bar."""
        self._tasks[batch.ids[0]] = self._bars.add_task(plain(batch.title), total=batch.steps)

    def step(self, batch: Batch, step: int, steps: int) -> None:
        """Move the bar."""
        if (task := self._tasks.get(batch.ids[0])) is not None:
            self._bars.update(task, completed=step, total=steps)

    def settled(self, batch: Batch, kudos: float, lost: int) -> None:
        """The line of how things are says it."""

    def end(self, batch: Batch, outcome: str) -> None:
        """Take the bar away and write the job's line."""
        if (task := self._tasks.pop(batch.ids[0], None)) is not None:
            self._bars.remove_task(task)
        self.say(f"{batch.title}: {outcome}")

    def say(self, sentence: str) -> None:
        """Write a line above the bars."""
        self._live.console.print(plain(sentence), soft_wrap=True)

    def close(self) -> None:
        """Take everything away that moves."""
        self._live.stop()

    def _shown(self) -> RenderableType:
        if self.counts is None:
            return self._bars
        return Group(self._bars, Text(summary(self.counts()), style="dim"))


def summary(counts: Counts) -> str:
    """Say in a line how things are."""
    parts = [
        f"{counts.done} done" + (f", {counts.lost} lost" if counts.lost else ""),
        f"{counts.kudos_an_hour:,.0f} kudos/h",
        f"busy {counts.busy:.0%}",
    ]
    parts += [f"{name} {size / MB:,.0f} MB" for name, size in counts.memory.items()]
    if counts.held:
        largest = sorted(counts.held, key=lambda one: -one.bytes)[:MAX_NAMED]
        more = len(counts.held) - len(largest)
        parts.append(
            f"in memory: {', '.join(map(held, largest))}" + (f" and {more} more" if more else "")
        )
    if counts.jobs_of:
        most = sorted(counts.jobs_of.items(), key=lambda one: -one[1])[:MAX_NAMED]
        named = ", ".join(f"{plain(model)} {jobs}" for model, jobs in most)
        parts.append(f"jobs: {named}")
    return " · ".join(parts)


def held(model: Held) -> str:
    """Say how large a model in memory is, and whether it is parked."""
    parked = " (parked)" if model.is_parked else ""
    return f"{plain(model.name)} {model.bytes / MB:,.0f} MB{parked}"
