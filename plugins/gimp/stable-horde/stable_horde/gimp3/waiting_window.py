"""The window that shows how far a request is, with which it is cancelled or left."""

from types import TracebackType
from typing import Self

from gi.repository import Gtk

from stable_horde.errand import Asked, Errand
from stable_horde.words import _


class WaitingWindow:
    """A `waiting.Display`. Use it as a context manager: it is there meanwhile."""

    def __init__(self, title: str) -> None:
        self._errand: Errand | None = None
        self._window = Gtk.Window.new(Gtk.WindowType.TOPLEVEL)
        self._window.set_title(title)
        self._window.set_default_size(420, -1)
        self._window.set_border_width(12)
        self._window.connect("delete-event", self._closed)
        self._bar = Gtk.ProgressBar()
        self._words = Gtk.Label.new(_("Asking the horde…"))
        self._cost = Gtk.Label.new("")
        for label in (self._words, self._cost):
            label.set_xalign(0)
            label.set_line_wrap(True)
            label.set_max_width_chars(60)
        self._cancel = Gtk.Button.new_with_mnemonic(_("_Cancel"))
        self._cancel.connect("clicked", self._cancelled)
        self._leave = Gtk.Button.new_with_mnemonic(_("_Leave it running"))
        self._leave.set_tooltip_text(_("“Status” fetches the results later"))
        self._leave.connect("clicked", self._left)
        buttons = Gtk.ButtonBox.new(Gtk.Orientation.HORIZONTAL)
        buttons.set_layout(Gtk.ButtonBoxStyle.END)
        buttons.set_spacing(6)
        buttons.add(self._leave)
        buttons.add(self._cancel)
        box = Gtk.Box.new(Gtk.Orientation.VERTICAL, 8)
        for widget in (self._words, self._bar, self._cost, buttons):
            box.pack_start(widget, False, False, 0)
        self._window.add(box)
        self._leave.set_sensitive(False)

    def __enter__(self) -> Self:
        self._window.show_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._window.destroy()

    def show(self, words: str, fraction: float) -> None:
        """Show how far it is."""
        self._words.set_text(words)
        if fraction:
            self._bar.set_fraction(fraction)
        else:
            self._bar.pulse()

    def begun(self, errand: Errand) -> None:
        """An errand is under way, which may be cancelled."""
        self._errand = errand
        self._leave.set_sensitive(bool(errand.request_id))

    def asked(self, news: Asked) -> None:
        """Show what it costs, and warnings; from now on it can be left."""
        self._leave.set_sensitive(True)
        lines = [_("{kudos} kudos a picture").format(kudos=f"{news.kudos:g}")] if news.kudos else []
        self._cost.set_text("\n".join([*lines, *news.warnings]))

    def _cancelled(self, _button: Gtk.Button) -> None:
        if self._errand is not None:
            self._cancel.set_sensitive(False)
            self._leave.set_sensitive(False)
            self._words.set_text(_("Cancelling…"))
            self._errand.cancel()

    def _left(self, _button: Gtk.Button) -> None:
        if self._errand is not None:
            self._errand.leave()

    def _closed(self, _window: Gtk.Window, _event: object) -> bool:
        """Closing the window leaves the request running, once it is queued."""
        if self._leave.get_sensitive():
            self._left(self._leave)
        else:
            self._cancelled(self._cancel)
        return True
