"""Which forms can be answered: those that need no weights, and those whose weights are here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from worker import upscaler
from worker.alchemy.order import Description
from worker.image import inspection
from worker.image.inspection import NotUsable
from worker.renderer import Model
from worker.settings import Settings
from worker.shelf import BrokenList, Shelf

WITHOUT_WEIGHTS: Final = ("palette", "vectorize", "strip_background")
MAKES_PICTURE: Final = frozenset({"strip_background"})

ARCHITECTURES: Final[Mapping[str, tuple[str, ...]]] = {
    "caption": ("BlipForConditionalGeneration",),
    "describe": ("BlipForConditionalGeneration",),
    "interrogation": ("CLIPModel",),
    "nsfw": ("StableDiffusionSafetyChecker",),
    "aesthetic": ("CLIPModel",),
}
"""What answers a form that needs weights, as its folder's `config.json` calls it."""
HEAD: Final = "aesthetic.safetensors"
"""Beside the weights of a CLIP: how well people like what it sees (`weight`, `bias`)."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Seer(Model):
    """A network that looks at pictures; named as the form that it answers."""


def forms(settings: Settings, folders: list[Path]) -> dict[str, Model]:
    """Find what can be answered, by the names of the forms."""
    found: dict[str, Model] = {name: Description(name) for name in WITHOUT_WEIGHTS}
    found |= seers(settings, folders)
    found |= upscaler.find(folders)
    wanted = settings.forms
    return {name: model for name, model in found.items() if not wanted or name in wanted}


def seers(settings: Settings, folders: list[Path]) -> dict[str, Model]:
    """Find the networks that look at pictures: added by name, or in folders of that name."""
    try:
        added = Shelf(settings.data_dir).places("form")
    except BrokenList:
        added = {}
    found: dict[str, Model] = {}
    for name in ARCHITECTURES:
        for folder in (*([added[name]] if name in added else ()), *_below(folders, name)):
            try:
                found[name] = inspect(name, folder)
            except NotUsable as error:
                log.warning("form not offered", form=name, reason=str(error))
            else:
                break
    return found


def inspect(name: str, folder: Path) -> Seer:
    """See that a folder can answer a form. Raises NotUsable."""
    if name not in ARCHITECTURES:
        raise NotUsable(f"{name} is no form that needs weights")
    try:
        kinds = inspection.read(folder / "config.json").get("architectures") or []
        if not set(kinds) & set(ARCHITECTURES[name]):
            there = ", ".join(map(str, kinds)) or "nothing known"
            raise NotUsable(f"{folder}: {there}, not {' or '.join(ARCHITECTURES[name])}")
        inspection.check_weights(folder, "model")
        if name == "aesthetic":
            inspection.check_whole(folder / HEAD)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotUsable(f"{folder}: {type(error).__name__}: {error}") from error
    return Seer(name, folder)


def _below(folders: list[Path], name: str) -> Iterator[Path]:
    return (folder / name for folder in folders if (folder / name / "config.json").is_file())
