"""Which models are wanted, and in which folders they are looked for."""

from pathlib import Path
from typing import Literal

import structlog

from worker.model_kinds import FOLDERS
from worker.settings import Settings
from worker.shelf import BrokenList, Shelf

log = structlog.get_logger(__name__)


def folders(settings: Settings) -> list[Path]:
    """Say where models are looked for."""
    return [*settings.model_dirs, settings.data_dir, Shelf(settings.data_dir).folder]


def wanted(settings: Settings, kind: Literal["image", "text"]) -> list[str]:
    """Say which models are wanted: those of the settings, else the default and what was added.

    Those that were added are named with their places.
    """
    key = FOLDERS[kind].setting
    try:
        added = Shelf(settings.data_dir).places(kind)
    except BrokenList as error:
        log.warning("models that were added are not known", reason=str(error))
        added = {}
    named: list[str] = getattr(settings, key)
    names = named if key in settings.model_fields_set else [*named, *added]
    return [f"{one}={added[one]}" if one in added else one for one in dict.fromkeys(names)]
