"""The post-processing that can be done here, as part of a picture or as a form of its own."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from worker import upscaler
from worker.renderer import Model
from worker.upscaler import Upscaler


@dataclass(frozen=True)
class BackgroundRemover(Model):
    """The function that takes backgrounds away; see `worker.background`. It needs no weights."""

    name: str = "strip_background"
    folder: Path = Path()


PostProcessor: TypeAlias = Upscaler | BackgroundRemover
REMOVER: Final = BackgroundRemover()


def find(folders: Iterable[Path]) -> Mapping[str, PostProcessor]:
    """Find what is here, by its names on the horde."""
    return {REMOVER.name: REMOVER, **upscaler.find(folders)}
