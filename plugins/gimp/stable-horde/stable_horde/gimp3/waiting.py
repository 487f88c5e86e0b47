"""Waits for an errand, which runs in a thread of its own, in GLib's loop: windows stay alive."""

from queue import Empty
from typing import Protocol

from gi.repository import Gimp, GLib

from stable_horde.errand import Asked, Errand, Outcome, Standing
from stable_horde.errors import Trouble

LOOK_MILLISECONDS = 100


class Display(Protocol):
    """Where the waiting is shown."""

    def show(self, words: str, fraction: float) -> None:
        """Show how far it is."""

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

    def asked(self, news: Asked) -> None:
        """Warnings are for whoever watches GIMP's messages."""
        for warning in news.warnings:
            Gimp.message(warning)


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
    loop.run()
    if not ended:  # the loop was ended from outside
        GLib.source_remove(source)
        errand.leave()
        raise Trouble("GIMP is closing.")
    if isinstance(ended[0], Trouble):
        raise ended[0]
    return ended[0]
