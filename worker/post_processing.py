"""The post-processing that can be done here, as part of a picture or as a form of its own."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from worker import upscaler
from worker.faces import fixer
from worker.faces.fixer import FaceFixer
from worker.renderer import Model
from worker.settings import DEFAULT_MODEL, SHIPPED
from worker.upscaler import Upscaler


@dataclass(frozen=True)
class BackgroundRemover(Model):
    """The function that takes backgrounds away; see `worker.background`. It needs no weights."""

    name: str = "strip_background"
    folder: Path = Path()


PostProcessor: TypeAlias = Upscaler | FaceFixer | BackgroundRemover
REMOVER: Final = BackgroundRemover()


def find(folders: Iterable[Path]) -> Mapping[str, PostProcessor]:
    """Find what is here, by its names on the horde."""
    places = list(folders)
    stand_ins = upscaler.stand_ins(SHIPPED / DEFAULT_MODEL)
    return {REMOVER.name: REMOVER, **stand_ins, **upscaler.find(places), **fixer.find(places)}


def named(models: Mapping[str, Model]) -> str:
    """Name what is here, for the operator; of stand-ins also the networks that they are."""
    return ", ".join(
        f"{name} ({one.stand_in})" if isinstance(one, Upscaler) and one.stand_in else name
        for name, one in models.items()
    )


def is_stand_in(model: Model) -> bool:
    """Whether a network is not the one that its name on the horde says."""
    return isinstance(model, Upscaler) and bool(model.stand_in)
