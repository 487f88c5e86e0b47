"""How the commands talk: results on standard output, what went wrong on the other."""

import sys
from typing import Final

from worker.progress import plain

FINE: Final = 0
FAILED: Final = 1
WRONG: Final = 2


class Wrong(Exception):
    """The command cannot be obeyed as it was given; the text says why."""


def line(sentence: str) -> None:
    """Write a line of a result, at once. Parts of it may come from elsewhere."""
    sys.stdout.write(f"{plain(sentence)}\n")
    sys.stdout.flush()


def error(sentence: str) -> None:
    """Write what went wrong."""
    sys.stderr.write(f"worker: {plain(sentence)}\n")
