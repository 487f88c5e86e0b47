"""Which models are wanted, and in which folders they are looked for."""

from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import structlog

from worker import vision
from worker.image import control
from worker.image.control import Controls
from worker.model_kinds import FOLDERS
from worker.safety import PACKAGES, Checker, Detector, Policy
from worker.settings import Settings
from worker.shelf import BrokenList, Kept, ModelKind, Shelf
from worker.vision import CHECKING, VisionModel

log = structlog.get_logger(__name__)


def folders(settings: Settings) -> list[Path]:
    """Say where models are looked for."""
    return [*settings.model_dirs, settings.data_dir, Shelf(settings.data_dir).folder]


def wanted(settings: Settings, kind: Literal["image", "text"]) -> list[str]:
    """Say which models are wanted: those of the settings, else the default and what was added.

    Those that were added are named with their places.
    """
    key = FOLDERS[kind].setting
    added = _added(settings, kind)
    named: list[str] = getattr(settings, key)
    names = named if key in settings.model_fields_set else [*named, *added]
    return [f"{one}={added[one]}" if one in added else one for one in dict.fromkeys(names)]


def vision_models(settings: Settings) -> dict[str, VisionModel]:
    """Find the networks that look at pictures, by the forms that they answer."""
    return vision.find(_added(settings, "vision"), folders(settings))


def controls(settings: Settings) -> Controls:
    """Find the networks for control types."""
    shelf = Shelf(settings.data_dir)
    added = {
        shelf.path(kept): frozenset(kept.control_types)
        for kept in _shelved(settings).values()
        if kept.kind == "controlnet"
    }
    return control.find(folders(settings), added)


def safety_policy(settings: Settings) -> Policy:
    """Find who checks pictures, and what the operator wants: the network before a package."""
    checker: Checker | None = vision_models(settings).get(CHECKING) or detector()
    return Policy(checker, settings.censor_nsfw, settings.unchecked)


def detector() -> Detector | None:
    """Find a package that sees whether pictures are unsafe for work."""
    here = (one for one in PACKAGES if find_spec(one) is not None)
    return next((Detector(one, Path(), one) for one in here), None)


def _added(settings: Settings, kind: ModelKind) -> dict[str, Path]:
    shelf = Shelf(settings.data_dir)
    return {
        name: shelf.path(kept) for name, kept in _shelved(settings).items() if kept.kind == kind
    }


def _shelved(settings: Settings) -> dict[str, Kept]:
    try:
        return Shelf(settings.data_dir).read()
    except BrokenList as error:
        log.warning("models that were added are not known", reason=str(error))
        return {}
