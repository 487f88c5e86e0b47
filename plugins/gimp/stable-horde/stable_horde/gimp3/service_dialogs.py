"""The windows of the status and of the settings."""

import dataclasses

from gi.repository import Gimp, Gtk

from stable_horde import VERSION
from stable_horde.errors import Cancelled, Later, Trouble
from stable_horde.gimp3 import carrying, managing
from stable_horde.gimp3.background import Latest
from stable_horde.gimp3.tasks import Delivered, Task
from stable_horde.gimp3.waiting_window import WaitingWindow
from stable_horde.left import Record
from stable_horde.regions import MAX_SIDE
from stable_horde.settings import LIMITS, Settings, of_the_environment
from stable_horde.words import _

FETCH, CANCEL = "fetch", "cancel"


def status(tasks: dict[str, Task]) -> Delivered:
    """Show the horde, the account and what is left; fetch or cancel it. Raises Trouble."""
    while True:
        chosen = StatusDialog().run()
        if chosen is None:
            return Delivered()
        record, wish = chosen
        try:
            if wish == CANCEL:
                carrying.cancel(record, carrying.settings())
                continue
            with WaitingWindow(_("Fetching results")) as window:
                return carrying.fetch(tasks, record, carrying.settings(), window)
        except (Cancelled, Later):
            continue
        except Trouble as trouble:
            Gimp.message(str(trouble))


class StatusDialog:
    """What there is to be seen, and a row for each request that is left."""

    def __init__(self) -> None:
        self._chosen: tuple[Record, str] | None = None
        self._dialog = Gtk.Dialog(title=_("AI Horde: status"))
        self._dialog.set_default_size(520, -1)
        self._dialog.add_button(_("_Close"), Gtk.ResponseType.CLOSE)
        self._overview = _label(_("Asking the horde…"))
        self._latest: Latest[str] = Latest(lambda found: self._overview.set_text(str(found)))
        content = self._dialog.get_content_area()
        content.set_border_width(12)
        content.set_spacing(8)
        content.pack_start(self._overview, False, False, 0)
        records = carrying.fetchable()
        title = _("Requests that are left") if records else _("No requests are left.")
        content.pack_start(_label(title), False, False, 0)
        for record in records:
            content.pack_start(self._row(record), False, False, 0)

    def run(self) -> tuple[Record, str] | None:
        """Show it; the request that was chosen, and what to do with it."""
        chosen = carrying.settings()
        self._latest.start(lambda: managing.overview(chosen))
        self._dialog.show_all()
        self._dialog.run()
        self._latest.stop()
        self._dialog.destroy()
        return self._chosen

    def _row(self, record: Record) -> Gtk.Box:
        row = Gtk.Box.new(Gtk.Orientation.HORIZONTAL, 6)
        row.pack_start(_label(managing.waiting_line(record)), True, True, 0)
        for label, wish in ((_("_Fetch"), FETCH), (_("Ca_ncel"), CANCEL)):
            button = Gtk.Button.new_with_mnemonic(label)
            button.connect("clicked", self._choose, record, wish)
            row.pack_start(button, False, False, 0)
        return row

    def _choose(self, _button: Gtk.Button, record: Record, wish: str) -> None:
        self._chosen = record, wish
        self._dialog.response(Gtk.ResponseType.OK)


def settings() -> Delivered:
    """Have the settings changed. Raises Cancelled."""
    chosen = SettingsDialog(Settings.load(carrying.folder(), {})).run()
    if chosen is None:
        raise Cancelled(_("Cancelled."))
    chosen.save(carrying.folder())
    return Delivered()


class SettingsDialog:
    """The horde, the key, and what holds for all requests."""

    def __init__(self, present: Settings) -> None:
        self._present = present
        self._dialog = Gtk.Dialog(title=_("AI Horde: settings"))
        self._dialog.add_button(_("_Cancel"), Gtk.ResponseType.CANCEL)
        self._dialog.add_button(_("_Save"), Gtk.ResponseType.OK)
        self._dialog.set_default_size(480, -1)
        self._grid = Gtk.Grid(row_spacing=6, column_spacing=12)
        self._grid.set_border_width(12)
        self._dialog.get_content_area().add(self._grid)
        self._rows = 0
        self._url = self._entry(_("Address of the horde"), present.url)
        self._key = self._entry(_("API key"), present.key)
        self._key.set_visibility(False)
        self._key.set_tooltip_text(_("0000000000 is everybody's; only you can read its file"))
        self._truths = {
            name: self._check(label, value=getattr(present, name))
            for name, label in (
                ("nsfw", _("Pictures may be unsafe for work")),
                ("trusted_only", _("Only workers of trusted people")),
                ("slow_workers", _("Slow workers, too")),
                ("shared", _("Give pictures to the public data set")),
            )
        }
        self._numbers = {
            "max_pixels": self._spin(
                _("Most pixels that are sent"), present.max_pixels, "max_pixels"
            ),
            "minutes": self._spin(_("Minutes to wait"), present.minutes, "minutes"),
        }
        button = Gtk.Button.new_with_mnemonic(_("_Test"))
        button.connect("clicked", self._test)
        self._answer = _label(_environment() or _("Plug-in, version {own}").format(own=VERSION))
        self._grid.attach(button, 0, self._rows, 1, 1)
        self._grid.attach(self._answer, 1, self._rows, 1, 1)
        self._latest: Latest[str] = Latest(lambda found: self._answer.set_text(str(found)))

    def run(self) -> Settings | None:
        """Show it; the settings that were chosen."""
        self._dialog.show_all()
        try:
            while self._dialog.run() == Gtk.ResponseType.OK:
                chosen = self._chosen()
                try:
                    chosen.horde()
                except Trouble as trouble:
                    self._answer.set_text(str(trouble))
                else:
                    return chosen
            return None
        finally:
            self._latest.stop()
            self._dialog.destroy()

    def _chosen(self) -> Settings:
        return dataclasses.replace(
            self._present,
            url=self._url.get_text().strip(),
            key=self._key.get_text().strip(),
            **{name: check.get_active() for name, check in self._truths.items()},
            **{name: spin.get_value_as_int() for name, spin in self._numbers.items()},
        )

    def _test(self, _button: Gtk.Button) -> None:
        chosen = self._chosen()
        self._answer.set_text(_("Asking the horde…"))
        self._latest.start(lambda: managing.overview(chosen))

    def _entry(self, label: str, value: str) -> Gtk.Entry:
        entry = Gtk.Entry(text=value, hexpand=True)
        return self._add(label, entry)

    def _check(self, label: str, *, value: bool) -> Gtk.CheckButton:
        check = Gtk.CheckButton(label=label, active=value)
        return self._add("", check)

    def _spin(self, label: str, value: int, name: str) -> Gtk.SpinButton:
        least, most = LIMITS[name]
        spin = Gtk.SpinButton.new_with_range(least, most, 1 if most < MAX_SIDE else 65_536)
        spin.set_value(value)
        return self._add(label, spin)

    def _add(self, label: str, widget: Gtk.Widget) -> Gtk.Widget:
        if label:
            self._grid.attach(_label(label), 0, self._rows, 1, 1)
        self._grid.attach(widget, 1, self._rows, 1, 1)
        self._rows += 1
        return widget


def _environment() -> str:
    """What of the settings the environment decides."""
    names = of_the_environment()
    return _("Set by the environment: {names}").format(names=", ".join(names)) if names else ""


def _label(text: str) -> Gtk.Label:
    label = Gtk.Label.new(text)
    label.set_xalign(0)
    label.set_line_wrap(True)
    label.set_max_width_chars(70)
    label.set_selectable(True)
    return label
