"""Output for people: a changing line on a terminal, plain lines elsewhere."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from rich.console import Console
from rich.text import Text

LAYOUT = "\n\t"


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


@contextlib.contextmanager
def progress(begin: str) -> Iterator[Callable[[str], None]]:
    """Make a function that shows progress."""
    if not errors.is_terminal:
        yield errors.print
        return
    with errors.status(_line(begin)) as status:
        yield lambda words: status.update(_line(words))


def _line(words: str) -> Text:
    """The words as they are: rich would read markup in a string."""
    return Text(plain(words))
