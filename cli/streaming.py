"""Writes a text on the terminal as it grows: only what is new of it, and nothing twice."""

from collections.abc import Callable

from cli import terminal


def settled(text: str, *stops: str) -> str:
    """What will stay of a text that goes on: up to a stop, and not what may become one."""
    for stop in filter(None, stops):
        text = text.partition(stop)[0]
        lengths = range(min(len(stop), len(text)), 0, -1)
        begun = next((some for some in lengths if text.endswith(stop[:some])), 0)
        text = text[: len(text) - begun]
    return text.strip()


class Stream:
    """Writes one text.

    stops: where it ends, whatever follows. on_begin: is called before anything is written.
    """

    def __init__(self, *stops: str, on_begin: Callable[[], None] = lambda: None) -> None:
        self._stops = stops
        self._on_begin = on_begin
        self._written = ""

    @property
    def has_begun(self) -> bool:
        """Whether anything is written."""
        return bool(self._written)

    def so_far(self, text: str) -> None:
        """Write what is new. A text that another worker began anew is written anew."""
        self._write(settled(text, *self._stops))

    def end(self, text: str) -> None:
        """Write the rest. text: the whole."""
        self._write(text)
        terminal.output.print()

    def _write(self, text: str) -> None:
        if not self._written and text:
            self._on_begin()
        if not text.startswith(self._written):
            if self._written.startswith(text):
                return  # an older piece of news
            terminal.output.print("\n")
            self._written = ""
        terminal.output.print(text[len(self._written) :], end="")
        self._written = text
