"""The arguments of procedures, and what was given for them."""

from typing import Any

from gi.repository import Gimp, GObject

from stable_horde import wanted
from stable_horde.wanted import Wanted
from stable_horde.words import _

FLAGS = GObject.ParamFlags.READWRITE
LEFT_TO_THE_HORDE = "any"


def add_prompts(procedure: Gimp.Procedure) -> None:
    """What the picture shows, and what it does not."""
    procedure.add_string_argument("prompt", _("_Prompt"), _("What the picture shows"), "", FLAGS)
    procedure.add_string_argument(
        "negative-prompt", _("_Negative prompt"), _("What it must not show"), "", FLAGS
    )


def add_common(procedure: Gimp.Procedure) -> None:
    """What all pictures have."""
    procedure.add_string_argument(
        "model", _("_Model"), _("The model's name; empty: any that is online"), "", FLAGS
    )
    procedure.add_string_argument(
        "style", _("St_yle"), _("The name of one of the horde's styles; empty: none"), "", FLAGS
    )
    procedure.add_int_argument(
        "n", _("_How many"), _("Several become a layer group"), 1, wanted.MAX_PICTURES, 1, FLAGS
    )
    procedure.add_int_argument(
        "steps", _("S_teps"), _("0: as the model wants it"), 0, 500, 0, FLAGS
    )
    procedure.add_double_argument(
        "cfg",
        _("_Guidance"),
        _("How strongly the prompt guides; 0: as the model wants it"),
        0,
        100,
        0,
        FLAGS,
    )
    samplers = Gimp.Choice.new()
    samplers.add(LEFT_TO_THE_HORDE, 0, _("The horde's choice"), "")
    for number, name in enumerate(wanted.SAMPLERS, 1):
        samplers.add(name, number, name, "")
    procedure.add_choice_argument(
        "sampler",
        _("Sam_pler"),
        _("How noise becomes a picture"),
        samplers,
        LEFT_TO_THE_HORDE,
        FLAGS,
    )
    procedure.add_string_argument(
        "seed", _("See_d"), _("The same seed gives the same picture; empty: chance"), "", FLAGS
    )
    procedure.add_string_argument(
        "loras", _("_LoRAs"), _("Names with strengths, as name:0.8, other:1"), "", FLAGS
    )
    procedure.add_string_argument(
        "post-processing",
        _("P_ost-processing"),
        _("Names with commas: {names}").format(names=", ".join(wanted.POST_PROCESSORS)),
        "",
        FLAGS,
    )


def given(config: Gimp.ProcedureConfig, names: list[str]) -> dict[str, Any]:
    """What was given for some arguments."""
    return {name: config.get_property(name) for name in names}


def read_wanted(config: Gimp.ProcedureConfig, *, nsfw: bool) -> Wanted:
    """The parameters that were given; what a procedure does not have is as it is by default."""
    has = {spec.name for spec in config.list_properties()}

    def value(name: str, otherwise: Any) -> Any:  # noqa: ANN401 - as the argument is
        return config.get_property(name) if name in has else otherwise

    sampler = value("sampler", LEFT_TO_THE_HORDE)
    return Wanted(
        prompt=value("prompt", "") or "",
        negative=value("negative-prompt", "") or "",
        model=(value("model", "") or "").strip(),
        style=value("style", "") or "",
        n=value("n", 1),
        steps=value("steps", 0),
        cfg=round(value("cfg", 0.0), 2),
        sampler="" if sampler == LEFT_TO_THE_HORDE else sampler,
        seed=value("seed", "") or "",
        strength=value("strength", 1.0),
        loras=value("loras", "") or "",
        post_processing=value("post-processing", "") or "",
        nsfw=nsfw,
    )
