"""The plug-in: its procedures, their arguments and their places in the menus."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gi.repository import Gimp, GLib, GObject

from stable_horde.errand import Errand
from stable_horde.errors import Cancelled, Trouble
from stable_horde.gimp3 import arguments, results, tasks, waiting
from stable_horde.gimp3.arguments import FLAGS
from stable_horde.settings import Settings
from stable_horde.words import _

MENU = "<Image>/Filters/AI Horde"
CREATE_MENU = "<Image>/File/Create/AI Horde"
PREFIX = "plug-in-stable-horde-"
AUTHOR = "Stable Horde"
YEAR = "2026"

ANYWHERE = (
    Gimp.ProcedureSensitivityMask.DRAWABLE
    | Gimp.ProcedureSensitivityMask.DRAWABLES
    | Gimp.ProcedureSensitivityMask.NO_DRAWABLES
    | Gimp.ProcedureSensitivityMask.NO_IMAGE
)
WITH_IMAGE = (
    Gimp.ProcedureSensitivityMask.DRAWABLE
    | Gimp.ProcedureSensitivityMask.DRAWABLES
    | Gimp.ProcedureSensitivityMask.NO_DRAWABLES
)


@dataclass(frozen=True)
class Entry:
    """One procedure. task: None where it asks for nothing that becomes a layer."""

    label: str
    blurb: str
    sensitivity: Gimp.ProcedureSensitivityMask
    task: tasks.Task
    options: tuple[str, ...]
    add_options: Callable[[Gimp.Procedure], None]
    menus: tuple[str, ...] = (MENU,)


def folder() -> Path:
    """Where the plug-in keeps its files, in GIMP's profile."""
    return Path(Gimp.directory()) / "stable-horde"


def _generate_options(procedure: Gimp.Procedure) -> None:
    procedure.add_int_argument("width", _("_Width"), _("Pixels"), 64, 3072, 512, FLAGS)
    procedure.add_int_argument("height", _("H_eight"), _("Pixels"), 64, 3072, 512, FLAGS)
    procedure.add_boolean_argument(
        "as-layer",
        _("As a _layer"),
        _("Put it into the open image, instead of making a new one"),
        False,
        FLAGS,
    )


def _fill_options(procedure: Gimp.Procedure) -> None:
    procedure.add_double_argument(
        "strength", _("Stren_gth"), _("How much is drawn anew"), 0, 1, 1, FLAGS
    )
    procedure.add_int_argument(
        "context",
        _("_Surroundings"),
        _("Pixels around the selection that the model sees; 0: half of its size"),
        0,
        2048,
        0,
        FLAGS,
    )


def entries() -> dict[str, Entry]:
    """All procedures by the last part of their names."""
    return {
        "generate": Entry(
            _("_New Picture from Text…"),
            _("Have a horde make a picture of what a text says"),
            ANYWHERE,
            tasks.generate,
            ("width", "height", "as-layer"),
            _generate_options,
            (MENU, CREATE_MENU),
        ),
        "fill": Entry(
            _("_Fill Selection…"),
            _("Have a horde paint what is selected so that it fits what surrounds it"),
            WITH_IMAGE,
            tasks.fill,
            ("strength", "context"),
            _fill_options,
        ),
    }


class StableHorde(Gimp.PlugIn):
    """What GIMP asks of a plug-in."""

    def do_set_i18n(self, name: str) -> Any:  # noqa: ANN401, ARG002 - GIMP's signature
        """Menus are translated by our own catalogue, when procedures are made."""
        return False

    def do_query_procedures(self) -> list[str]:
        """Names only: GIMP asks once and remembers them, so nothing here may need a network."""
        return [PREFIX + name for name in entries()]

    def do_create_procedure(self, name: str) -> Gimp.Procedure:
        """Make one of them."""
        entry = entries()[name.removeprefix(PREFIX)]
        procedure = Gimp.ImageProcedure.new(self, name, Gimp.PDBProcType.PLUGIN, self.run, None)
        procedure.set_image_types("*")
        procedure.set_sensitivity_mask(entry.sensitivity)
        procedure.set_menu_label(entry.label)
        for menu in entry.menus:
            procedure.add_menu_path(menu)
        procedure.set_documentation(entry.blurb, entry.blurb, name)
        procedure.set_attribution(AUTHOR, AUTHOR, YEAR)
        arguments.add_prompts(procedure)
        entry.add_options(procedure)
        arguments.add_common(procedure)
        procedure.add_image_return_value(
            "result",
            _("Image"),
            _("The image with the results"),
            True,
            FLAGS,
        )
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
        del data, run_mode
        name = procedure.get_name().removeprefix(PREFIX)
        entry = entries()[name]
        try:
            settings = Settings.load(folder())
            call = tasks.Call(
                image,
                drawables,
                arguments.read_wanted(config, nsfw=settings.nsfw),
                arguments.given(config, list(entry.options)),
                settings,
            )
            made = _carry_out(entry.task(call), settings)
        except Cancelled as cancelled:
            return procedure.new_return_values(
                Gimp.PDBStatusType.CANCEL, GLib.Error(str(cancelled))
            )
        except Trouble as trouble:
            return procedure.new_return_values(
                Gimp.PDBStatusType.EXECUTION_ERROR, GLib.Error(str(trouble))
            )
        values = procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, None)
        if made is not None:
            values.remove(1)
            values.insert(1, GObject.Value(Gimp.Image, made))
        return values


def _carry_out(order: tasks.Order, settings: Settings) -> Gimp.Image | None:
    errand = Errand(
        settings.horde(),
        settings.applied(order.body),
        total=order.wanted.n,
        limit_seconds=settings.minutes * 60,
    )
    outcome = waiting.outcome(errand, waiting.Bar(_("AI Horde")))
    if order.image is not None and order.image.is_valid():
        results.put(order.image, order.place, outcome.pictures, order.wanted, order.task)
        return order.image
    images = results.as_images(outcome.pictures, order.wanted, order.task)
    return images[0] if images else None
