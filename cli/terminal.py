"""Output for people: a changing line on a terminal, plain lines elsewhere, tables on both."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, Generic, NamedTuple, TypeVar

from rich.console import Console, Group
from rich.status import Status
from rich.table import Table
from rich.text import Text

T = TypeVar("T")

LAYOUT = "\n\t"
BAR_CELLS: Final = 24
UNLIMITED: Final = 100_000
"""Columns of an output that is no terminal: nothing is cut or wrapped there."""


def plain(text: str) -> str:
    """Leave out terminal commands: servers, and all their users, write parts of the text.

    Control characters, and marks that change the direction of writing, become spaces.
    """
    return "".join(one if one.isprintable() or one in LAYOUT else " " for one in text)


class PlainConsole(Console):
    """A console that shows text without obeying it, in lines and in cells of tables."""

    def render_str(self, text: str, **options: Any) -> Text:  # noqa: ANN401 - rich's own options
        """Render a string without reading markup in it."""
        return super().render_str(plain(text), **options)


output = PlainConsole(highlight=False, markup=False, emoji=False, soft_wrap=True)
errors = PlainConsole(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)


def without_colours() -> None:
    """Use no colours from now on."""
    output.no_color = errors.no_color = True


def show(words: object) -> None:
    """Print text or a table; a table that is no terminal's keeps every word of its cells."""
    if isinstance(words, Table) and not output.is_terminal:
        wide = output.options.update(width=UNLIMITED)  # `print` takes no more than a screen's
        for line in output.render_lines(words, wide, pad=False):
            output.print("".join(segment.text for segment in line).rstrip())
    elif isinstance(words, list):
        for one in words:
            show(one)
    else:
        output.print(words)


class Column(NamedTuple, Generic[T]):
    """A column of a table. of: the cell's text. right: for numbers. wraps: gives room first."""

    heading: str
    of: Callable[[T], str]
    right: bool = False
    wraps: bool = False


def table(rows: Iterable[T], *columns: Column[T], nothing: str) -> Table | str:
    """A table, or `nothing` in words if there are no rows.

    A column without `wraps` is never cut: names are there to be copied.
    """
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(
            column.heading,
            justify="right" if column.right else "left",
            no_wrap=not column.wraps,
            overflow="fold",
            ratio=None,
        )
    for row in rows:
        made.add_row(*(column.of(row) for column in columns))
    return made if made.row_count else nothing


def facts(pairs: Iterable[tuple[str, str | None]]) -> Table:
    """What is known of one thing, a line each; those that are None are left out."""
    made = Table(box=None, pad_edge=False, show_header=False)
    made.add_column(no_wrap=True, style="bold")
    made.add_column(overflow="fold")
    for name, value in pairs:
        if value is not None:
            made.add_row(name, value)
    return made


class Progress:
    """Shows how far something is: call it with words."""

    def __call__(self, words: str) -> None:
        """Show these words from now on."""
        errors.print(words)

    def at(self, fraction: float) -> None:
        """Show a bar for the work in hand; only on a terminal, where it can move."""

    def leave(self) -> None:
        """Show nothing any more: the results come."""


class MovingProgress(Progress):
    """The same in one line that changes, with a bar."""

    def __init__(self, status: Status, words: str) -> None:
        self._status = status
        self._words = words

    def __call__(self, words: str) -> None:
        """Show these words from now on; the bar begins again."""
        self._words = words
        self._status.update(_wrapped(plain(words)))

    def at(self, fraction: float) -> None:
        """Show a bar before the words."""
        full = round(max(0.0, min(1.0, fraction)) * BAR_CELLS)
        bar = ("━" * full, "green"), ("━" * (BAR_CELLS - full), "dim")
        self._status.update(_wrapped(*bar, f" {fraction:4.0%} {plain(self._words)}"))

    def leave(self) -> None:
        """Show nothing any more: the results come."""
        self._status.stop()


@contextlib.contextmanager
def progress(begin: str) -> Iterator[Progress]:
    """Make something that shows progress."""
    if not errors.is_terminal:
        yield Progress()
        return
    with errors.status(_wrapped(plain(begin))) as status:
        yield MovingProgress(status, begin)


def _wrapped(*parts: str | tuple[str, str]) -> Group:
    """Text, or parts of it with a style, that goes on in the next line where it is too long.

    A string would not do, as rich would read markup in it, nor a text alone: that is cut.
    """
    return Group(Text.assemble(*parts, no_wrap=False, overflow="fold"))
