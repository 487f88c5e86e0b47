"""The plug-in: its procedures, and what happens when one is called."""

from collections.abc import Callable, Sequence
from typing import Any

from gi.repository import Gimp, GLib, GObject

from stable_horde.errors import Cancelled, Later, Trouble
from stable_horde.gimp3 import arguments, carrying, dialogs, managing, service_dialogs, waiting
from stable_horde.gimp3.arguments import FLAGS
from stable_horde.gimp3.drawing import Extend, Fill, Generate, Rework
from stable_horde.gimp3.forming import Describe, RemoveBackground, Upscale
from stable_horde.gimp3.managing import Repeat
from stable_horde.gimp3.tasks import ANYWHERE, CREATE_MENU, MENU, Call, Delivered, Task
from stable_horde.words import _

PREFIX = "plug-in-stable-horde-"
AUTHOR = "Stable Horde"
YEAR = "2026"

TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Generate(),
        Fill(),
        Extend(),
        Rework(),
        Upscale(),
        RemoveBackground(),
        Describe(),
        Repeat(),
    )
}
SERVICES = {
    "status": (_("_Status…"), _("Show the horde, the account, and requests that are running")),
    "settings": (_("S_ettings…"), _("Choose the horde and the key")),
    "fetch": ("", _("Fetch the results of a request that was left running")),
    "cancel": ("", _("Cancel a request that was left running")),
}
"""Labels and blurbs; what has no label is for scripts, and the status dialog has it as a button."""


class StableHorde(Gimp.PlugIn):
    """What GIMP asks of a plug-in."""

    def do_set_i18n(self, name: str) -> Any:  # noqa: ANN401, ARG002 - GIMP's signature
        """Texts are translated by our own catalogue, when procedures are made."""
        return False

    def do_query_procedures(self) -> list[str]:
        """Names only: GIMP asks once and remembers them, so nothing here may need a network."""
        return [PREFIX + name for name in (*TASKS, *SERVICES)]

    def do_create_procedure(self, name: str) -> Gimp.Procedure:
        """Make one of them."""
        short = name.removeprefix(PREFIX)
        procedure = Gimp.ImageProcedure.new(self, name, Gimp.PDBProcType.PLUGIN, self.run, None)
        procedure.set_image_types("*")
        procedure.set_attribution(AUTHOR, AUTHOR, YEAR)
        if short in TASKS:
            _describe_task(procedure, TASKS[short])
        else:
            _describe_service(procedure, short)
        procedure.add_image_return_value(
            "result", _("Image"), _("The image with the results, if there is one"), True, FLAGS
        )
        procedure.add_string_return_value("text", _("Text"), _("What is to be said"), "", FLAGS)
        return procedure

    def run(
        self,
        procedure: Gimp.Procedure,
        run_mode: Gimp.RunMode,
        image: Gimp.Image | None,
        drawables: Sequence[Gimp.Drawable],
        config: Gimp.ProcedureConfig,
        data: object,
    ) -> Gimp.ValueArray:
        """Carry out one of them."""
        del data
        name = procedure.get_name().removeprefix(PREFIX)
        is_interactive = run_mode == Gimp.RunMode.INTERACTIVE
        if is_interactive:
            dialogs.prepare()
        try:
            if name in TASKS:
                run = _in_dialog if is_interactive else _without_dialog
                delivered = run(procedure, config, TASKS[name], image, drawables)
            else:
                delivered = _serve(name, config, is_interactive=is_interactive)
        except (Cancelled, Later) as ended:
            return _ended(procedure, Gimp.PDBStatusType.CANCEL, str(ended))
        except Trouble as trouble:
            return _ended(procedure, Gimp.PDBStatusType.EXECUTION_ERROR, str(trouble))
        values = procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, None)
        for at, (kind, value) in enumerate(
            ((Gimp.Image, delivered.image), (GObject.TYPE_STRING, delivered.text)), 1
        ):
            values.remove(at)
            values.insert(at, GObject.Value(kind, value))
        return values


def _describe_task(procedure: Gimp.Procedure, task: Task) -> None:
    procedure.set_sensitivity_mask(task.sensitivity)
    procedure.set_menu_label(task.label)
    for menu in task.menus:
        procedure.add_menu_path(menu)
    procedure.set_documentation(task.blurb, task.blurb, procedure.get_name())
    if task.has_prompt:
        arguments.add_prompts(procedure)
    task.add_options(procedure)
    if task.has_prompt:
        arguments.add_common(procedure)


def _describe_service(procedure: Gimp.Procedure, name: str) -> None:
    label, blurb = SERVICES[name]
    procedure.set_sensitivity_mask(ANYWHERE)
    procedure.set_documentation(blurb, blurb, procedure.get_name())
    if label:
        procedure.set_menu_label(label)
        for menu in (MENU, CREATE_MENU) if name == "settings" else (MENU,):
            procedure.add_menu_path(menu)
    else:
        procedure.add_string_argument(
            "request", _("_Request"), _("Its id; empty: the newest"), "", FLAGS
        )


def _call(
    config: Gimp.ProcedureConfig,
    task: Task,
    image: Gimp.Image | None,
    drawables: Sequence[Gimp.Drawable],
) -> Call:
    chosen = carrying.settings()
    return Call(
        image,
        drawables,
        arguments.read_wanted(config, nsfw=chosen.nsfw),
        arguments.given(config, list(task.options)),
        chosen,
    )


def _without_dialog(
    procedure: Gimp.Procedure,
    config: Gimp.ProcedureConfig,
    task: Task,
    image: Gimp.Image | None,
    drawables: Sequence[Gimp.Drawable],
) -> Delivered:
    del procedure
    call = _call(config, task, image, drawables)
    display = waiting.Bar(task.label.replace("_", ""))
    return carrying.carry_out(task, task.order(call), call.settings, display)


def _in_dialog(
    procedure: Gimp.Procedure,
    config: Gimp.ProcedureConfig,
    task: Task,
    image: Gimp.Image | None,
    drawables: Sequence[Gimp.Drawable],
) -> Delivered:
    def call() -> Call:
        return _call(config, task, image, drawables)

    return dialogs.carry_out(procedure, config, task, call)


def _serve(name: str, config: Gimp.ProcedureConfig, *, is_interactive: bool) -> Delivered:
    chosen = carrying.settings()
    if name in {"fetch", "cancel"}:
        record = carrying.left().get(config.get_property("request") or "")
        if name == "cancel":
            carrying.cancel(record, chosen)
            return Delivered(text=_("Cancelled."))
        return carrying.fetch(TASKS, record, chosen, waiting.Bar(_("Fetching results")))
    services: dict[str, Callable[[], Delivered]] = {
        "status": lambda: service_dialogs.status(TASKS),
        "settings": service_dialogs.settings,
    }
    if is_interactive:
        return services[name]()
    if name == "status":
        left = [managing.waiting_line(record) for record in carrying.fetchable()]
        return Delivered(text="\n".join([managing.overview(chosen), *left]))
    raise Trouble(
        _("Settings have a dialog only; for scripts there are HORDE_URL and HORDE_API_KEY.")
    )


def _ended(procedure: Gimp.Procedure, status: Gimp.PDBStatusType, message: str) -> Gimp.ValueArray:
    return procedure.new_return_values(status, GLib.Error(message))
