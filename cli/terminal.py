"""What people see: a line that changes on a terminal, plain lines elsewhere."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from rich.console import Console
from rich.text import Text

LAYOUT = "\n\t"


def plain(text: str) -> str:
    """Leave out what a terminal would obey: servers, and all who use them, write parts of it.

    Control characters, and marks that change the direction of writing, become spaces.
    """
    return "".join(one if one.isprintable() or one in LAYOUT else " " for one in text)


class PlainConsole(Console):
    """A console that shows text and obeys nothing in it, whether in a line or in a table's cell."""

    def render_str(self, text: str, **options: Any) -> Text:  # noqa: ANN401 - rich's own options
        """Make what is to be shown of a string."""
        return super().render_str(plain(text), **options)


output = PlainConsole(highlight=False, markup=False, emoji=False, soft_wrap=True)
errors = PlainConsole(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)


@contextlib.contextmanager
def progress(begin: str) -> Iterator[Callable[[str], None]]:
    """Give a function that shows how far things are."""
    if not errors.is_terminal:
        yield errors.print
        return
    with errors.status(_line(begin)) as status:
        yield lambda words: status.update(_line(words))


def _line(words: str) -> Text:
    """The words as they are: of a string, rich would read the markup."""
    return Text(plain(words))
