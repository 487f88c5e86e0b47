"""What people see: a line that changes on a terminal, plain lines elsewhere."""

import contextlib
from collections.abc import Callable, Iterator

from rich.console import Console

output = Console(highlight=False, markup=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


@contextlib.contextmanager
def progress(begin: str) -> Iterator[Callable[[str], None]]:
    """Give a function that shows how far things are."""
    if not errors.is_terminal:
        yield errors.print
        return
    with errors.status(begin) as status:
        yield status.update
