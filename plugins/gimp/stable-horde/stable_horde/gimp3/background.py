"""Does what may take long in a thread, and shows what came of it in GTK's."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from gi.repository import GLib

from stable_horde.errors import Trouble

Found = TypeVar("Found")


class Latest(Generic[Found]):
    """Work of which only the latest counts.

    show: gets what came of it, or the Trouble that it raised, in GTK's thread.
    """

    def __init__(self, show: Callable[[Found | Trouble], None]) -> None:
        self._show = show
        self._number = 0

    def start(self, work: Callable[[], Found]) -> None:
        """Begin; what was begun before is not shown any more."""
        self._number += 1
        number = self._number

        def run() -> None:
            found: Found | Trouble
            try:
                found = work()
            except Trouble as trouble:
                found = trouble
            GLib.idle_add(self._end, number, found)

        threading.Thread(target=run, daemon=True).start()

    def stop(self) -> None:
        """Show nothing any more."""
        self._number += 1

    def _end(self, number: int, found: Found | Trouble) -> bool:
        if number == self._number:
            self._show(found)
        return False
