"""The window in which a task is described, and what is shown while it is carried out."""

from collections.abc import Callable

from gi.repository import Gimp, GimpUi, GLib, Gtk

from stable_horde import VERSION
from stable_horde.errors import Cancelled, Trouble
from stable_horde.gimp3 import carrying
from stable_horde.gimp3.background import Latest
from stable_horde.gimp3.tasks import Call, Delivered, Task
from stable_horde.gimp3.waiting_window import WaitingWindow
from stable_horde.progress import about, whole
from stable_horde.settings import Settings
from stable_horde.transport import Json
from stable_horde.words import _, ngettext

PROGRAM = "stable-horde"
PRICE_MILLISECONDS = 400
PROMPT_LINES = 70
COMMON = ("model", "n")
ADVANCED = ("style", "steps", "cfg", "sampler", "seed", "loras", "post-processing")
NAME, DETAIL = 0, 1
GOOD_SIZE = (512, 512)
"""Any will do to see whether a request can be made."""


def prepare() -> None:
    """Begin to have windows."""
    GimpUi.init(PROGRAM)


def carry_out(
    procedure: Gimp.Procedure,
    config: Gimp.ProcedureConfig,
    task: Task,
    call: Callable[[], Call],
) -> Delivered:
    """Have a task described, ask for it, and wait for it in a window. Raises Trouble."""
    first = call()
    for name, value in task.prefill(first).items():
        config.set_property(name, value)
    if task.has_prompt or task.options:
        TaskDialog(procedure, config, task, call).run()
    order_call = call()
    order = task.order(order_call)
    title = task.label.replace("_", "").rstrip("…")
    with WaitingWindow(title) as window:
        delivered = carrying.carry_out(task, order, order_call.settings, window, may_be_closed=True)
    if delivered.text:
        Gimp.message(delivered.text)
    return delivered


class TaskDialog:
    """Asks for a task's arguments; shows the horde's models and the price as it goes."""

    def __init__(
        self,
        procedure: Gimp.Procedure,
        config: Gimp.ProcedureConfig,
        task: Task,
        call: Callable[[], Call],
    ) -> None:
        self._config = config
        self._task = task
        self._call = call
        self._timer = 0
        self._price = Latest(self._show_price)
        self._models = Latest(self._show_models)
        title = task.label.replace("_", "").rstrip("…")
        self._dialog = GimpUi.ProcedureDialog.new(procedure, config, title)
        self._dialog.set_default_size(480, -1)
        self._store = Gtk.ListStore(str, str)
        self._horde = _label(_("Asking the horde…"))
        self._sent = _label("")
        self._begin: Gtk.TextView | None = None
        self._fill()

    def run(self) -> None:
        """Have it filled in. Raises Cancelled."""
        chosen = self._call().settings
        self._models.start(lambda: _models(chosen))
        self._schedule()
        handler = self._config.connect("notify", lambda *_given: self._schedule())
        if self._begin is not None:
            self._begin.grab_focus()
        is_wanted = self._dialog.run()
        while is_wanted and not self._is_complete():
            is_wanted = self._dialog.run()
        self._config.disconnect(handler)
        if self._timer:
            GLib.source_remove(self._timer)
        self._price.stop()
        self._models.stop()
        self._dialog.destroy()
        if not is_wanted:
            raise Cancelled(_("Cancelled."))

    def _is_complete(self) -> bool:
        """Whether it can be asked for; what is missing is said."""
        try:
            if self._task.has_prompt:
                self._call().wanted.body(*GOOD_SIZE)
        except Trouble as trouble:
            self._sent.set_text(str(trouble))
            return False
        return True

    def _fill(self) -> None:
        names = list(self._task.options)
        if self._task.has_prompt:
            self._prompt("prompt", _("What the picture shows"), 70)
            self._prompt("negative-prompt", _("What it must not show"), 40)
            self._model()
            names.append("n")
        if names:
            self._dialog.fill(names)
        if self._task.has_prompt:
            self._dialog.fill_box("advanced-box", list(ADVANCED))
            self._dialog.get_label("advanced-title", _("More"), False, False)
            self._dialog.fill_expander("advanced", "advanced-title", False, "advanced-box")
            self._dialog.fill(["advanced"])
        content = self._dialog.get_content_area()
        for label in (self._sent, self._horde):
            content.pack_end(label, False, False, 3)
            label.show()

    def _prompt(self, name: str, title: str, height: int) -> None:
        """A box of several lines, bound to an argument."""
        view = Gtk.TextView()
        view.set_wrap_mode(Gtk.WrapMode.WORD_CHAR)
        view.set_accepts_tab(False)
        view.set_name(name)
        self._begin = self._begin or view
        buffer = view.get_buffer()
        buffer.set_text(self._config.get_property(name) or "")
        buffer.connect(
            "changed",
            lambda changed: self._config.set_property(name, changed.get_property("text")),
        )
        scrolled = Gtk.ScrolledWindow()
        scrolled.set_shadow_type(Gtk.ShadowType.IN)
        scrolled.set_min_content_height(height)
        scrolled.add(view)
        box = Gtk.Box.new(Gtk.Orientation.VERTICAL, 3)
        box.pack_start(_label(title), False, False, 0)
        box.pack_start(scrolled, True, True, 0)
        self._put(box)

    def _model(self) -> None:
        """The model: what the horde offers now, or any name."""
        combo = Gtk.ComboBox.new_with_model_and_entry(self._store)
        combo.set_entry_text_column(NAME)
        detail = Gtk.CellRendererText()
        combo.pack_end(detail, False)
        combo.add_attribute(detail, "text", DETAIL)
        entry = combo.get_child()
        entry.set_text(self._config.get_property("model") or "")
        entry.set_placeholder_text(_("any that is online"))
        entry.connect(
            "changed", lambda changed: self._config.set_property("model", changed.get_text())
        )
        box = Gtk.Box.new(Gtk.Orientation.HORIZONTAL, 6)
        box.pack_start(_label(_("Model")), False, False, 0)
        box.pack_start(combo, True, True, 0)
        self._put(box)

    def _put(self, box: Gtk.Box) -> None:
        box.set_margin_start(6)
        box.set_margin_end(6)
        self._dialog.get_content_area().pack_start(box, False, False, 3)
        box.show_all()

    def _schedule(self) -> None:
        """Ask for the price soon: not at each letter that is typed."""
        if self._timer:
            GLib.source_remove(self._timer)
        self._timer = GLib.timeout_add(PRICE_MILLISECONDS, self._ask_price)

    def _ask_price(self) -> bool:
        self._timer = 0
        try:
            call = self._call()
            size = self._task.size(call)
        except Trouble as trouble:
            self._sent.set_text(str(trouble))
            return False
        if not call.wanted.strength:
            self._price.stop()
            self._sent.set_text(carrying.NOTHING_ANEW)
            return False
        if not self._task.has_prompt:
            told = _("a horde tells no price of this beforehand")
            self._sent.set_text(f"{_sent(size)}; {told}")
            return False
        self._sent.set_text(_sent(size))
        if call.wanted.prompt.strip():
            self._price.start(lambda: (size, _price(call, size)))
        return False

    def _show_price(self, found: tuple[tuple[int, int], float] | Trouble) -> None:
        if isinstance(found, Trouble):
            self._sent.set_text(str(found))
            return
        size, kudos = found
        costs = ngettext("costs {n} kudos", "costs {n} kudos", round(kudos)).format(n=f"{kudos:g}")
        self._sent.set_text(f"{_sent(size)}, {costs}")

    def _show_models(self, found: tuple[str, str, list[Json]] | Trouble) -> None:
        if isinstance(found, Trouble):
            self._horde.set_text(str(found))
            return
        site, version, models = found
        self._horde.set_text(
            _("{site}, version {version}; plug-in {own}").format(
                site=site, version=version, own=VERSION
            )
        )
        for model in models:
            workers = whole(model.get("count"))
            detail = ngettext("{n} worker", "{n} workers", workers).format(n=workers)
            if seconds := whole(model.get("eta")):
                detail += ", " + about(seconds)
            self._store.append([str(model.get("name")), detail])


def _models(chosen: Settings) -> tuple[str, str, list[Json]]:
    horde = chosen.horde()
    version = horde.heartbeat()
    offered = [model for model in horde.models() if whole(model.get("count"))]
    return horde.site, version, sorted(offered, key=lambda model: -whole(model.get("count")))


def _price(call: Call, size: tuple[int, int]) -> float:
    return call.settings.horde().price(call.settings.applied(call.wanted.body(*size)))


def _sent(size: tuple[int, int]) -> str:
    return _("{width} x {height} pixels are sent").format(width=size[0], height=size[1])


def _label(text: str) -> Gtk.Label:
    label = Gtk.Label.new(text)
    label.set_xalign(0)
    label.set_line_wrap(True)
    label.set_max_width_chars(PROMPT_LINES)
    return label
