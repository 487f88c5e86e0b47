"""The post-processing that can be done here, as part of a picture or as a form of its own."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final, TypeAlias

from worker import upscaler
from worker.faces import fixer
from worker.faces.fixer import FaceFixer
from worker.renderer import Model
from worker.settings import DEFAULT_MODEL, SHIPPED
from worker.upscaler import Upscaler

STRIPS: Final = "strip_background"
MATTES: Final = ("isnet-general-use", "u2net", "silueta", "u2netp")
"""The networks that tell things from backgrounds, as rembg names them; the first that is here is
used, where rembg is installed, too."""


@dataclass(frozen=True)
class BackgroundRemover(Model):
    """What takes backgrounds away; see `worker.background`.

    folder: the file of the network's weights. network: its name; empty where there is none, and
    only plain backgrounds are taken away.
    """

    network: str = ""


PostProcessor: TypeAlias = Upscaler | FaceFixer | BackgroundRemover
REMOVER: Final = BackgroundRemover(STRIPS, Path())


def find(folders: Iterable[Path]) -> Mapping[str, PostProcessor]:
    """Find what is here, by its names on the horde."""
    places = list(folders)
    remover = {STRIPS: _remover(places)}
    return {**shipped(), **remover, **upscaler.find(places), **fixer.find(places)}


def shipped() -> Mapping[str, PostProcessor]:
    """Give what needs no weights but those that ship."""
    return {STRIPS: REMOVER, **upscaler.stand_ins(SHIPPED / DEFAULT_MODEL)}


def _remover(folders: Iterable[Path]) -> BackgroundRemover:
    if find_spec("rembg") is None:
        return REMOVER
    files = ((name, place / f"{name}.onnx") for place in folders for name in MATTES)
    here = ((name, file) for name, file in files if file.is_file())
    return next((BackgroundRemover(STRIPS, file, name) for name, file in here), REMOVER)


def named(models: Mapping[str, Model]) -> str:
    """Name what is here, for the operator; and what does it, where the name says something else."""
    return ", ".join(
        f"{name} ({network})" if (network := _other_name(one)) else name
        for name, one in models.items()
    )


def _other_name(model: Model) -> str:
    if isinstance(model, BackgroundRemover):
        return model.network or "plain ones"
    return model.stand_in if isinstance(model, Upscaler) else ""


def is_stand_in(model: Model) -> bool:
    """Whether a network is not the one that its name on the horde says."""
    return isinstance(model, Upscaler) and bool(model.stand_in)
