"""Waits for an errand, which runs in a thread of its own, in GLib's loop: windows stay alive."""

from collections.abc import Callable
from queue import Empty
from typing import Protocol

from gi.repository import Gimp, GLib

from stable_horde.errand import Asked, Errand, Outcome, Standing
from stable_horde.errors import Later, Trouble
from stable_horde.words import _

LOOK_MILLISECONDS = 100


class Display(Protocol):
    """Where the waiting is shown."""

    def show(self, words: str, fraction: float) -> None:
        """Show how far it is."""

    def begun(self, errand: Errand) -> None:
        """An errand is under way, which may be cancelled or left."""

    def asked(self, news: Asked) -> None:
        """Show that it is queued, what it costs, and warnings."""


class Bar:
    """GIMP's own progress bar, for calls without a dialog."""

    def __init__(self, title: str) -> None:
        Gimp.progress_init(title)

    def show(self, words: str, fraction: float) -> None:
        """Show how far it is."""
        Gimp.progress_set_text(words)
        if fraction:
            Gimp.progress_update(fraction)
        else:
            Gimp.progress_pulse()

    def begun(self, errand: Errand) -> None:
        """Nobody can cancel it here; GIMP's own button ends the plug-in."""

    def asked(self, news: Asked) -> None:
        """Warnings are for whoever watches GIMP's messages."""
        for warning in news.warnings:
            Gimp.message(warning)


class Kept:
    """A display that also keeps a record when the request is queued."""

    def __init__(self, display: Display, keep: Callable[[Asked], None]) -> None:
        self.show = display.show
        self.begun = display.begun
        self._display = display
        self._keep = keep

    def asked(self, news: Asked) -> None:
        """Keep it first: whatever happens afterwards, nothing is lost."""
        self._keep(news)
        self._display.asked(news)


def outcome(errand: Errand, display: Display) -> Outcome:
    """Start an errand and wait for what comes of it. Raises Trouble."""
    loop = GLib.MainLoop()
    ended: list[Outcome | Trouble] = []

    def look() -> bool:
        while True:
            try:
                news = errand.news.get_nowait()
            except Empty:
                return True
            if isinstance(news, Standing):
                display.show(news.words, news.fraction)
            elif isinstance(news, Asked):
                display.asked(news)
            else:
                ended.append(news)
                loop.quit()
                return False

    source = GLib.timeout_add(LOOK_MILLISECONDS, look)
    errand.start()
    display.begun(errand)
    loop.run()
    if not ended:  # the loop was ended from outside
        GLib.source_remove(source)
        errand.leave()
        raise Later(_("GIMP is closing; “Status” fetches the results later."))
    if isinstance(ended[0], Trouble):
        raise ended[0]
    return ended[0]
