"""The networks for enlarging pictures that are here; `worker.upscaling` runs them."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.features import OURS, POST_PROCESSORS
from worker.renderer import Model

FACTORS: Final = {
    name: processor.enlarges_by
    for name, processor in POST_PROCESSORS.items()
    if OURS in processor.since and processor.enlarges_by > 1
}
"""The horde's upscalers, and their factors for sides; the first available one also enlarges
pictures that a model made smaller than asked."""

ENDINGS: Final = (".safetensors", ".pth")

OWN: Final = "realesr-animevideov3"
OWN_FILE: Final = "enlarger.safetensors"
OWN_FACTOR: Final = 4
"""A network that a model brings along to enlarge its own pictures: its name, its file in the
model's folder, and what it multiplies sides by. Nobody can ask for it."""

STOOD_IN_FOR: Final = tuple(name for name in POST_PROCESSORS if name.startswith("RealESRGAN_"))
"""The larger networks of the same makers (Real-ESRGAN), for which that one stands in where their
weights are not here; results say so."""


@dataclass(frozen=True)
class Upscaler(Model):
    """Weights of one upscaler. folder: the file itself.

    stand_in: the name of the network that it really is, where that is another.
    """

    stand_in: str = ""

    @property
    def note(self) -> str:
        """What whoever asked for it should know; empty where it is what it is called."""
        if not self.stand_in:
            return ""
        return f"{self.name}: enlarged by {self.stand_in} instead, whose weights are here"

    @property
    def factor(self) -> int:
        """The factor by which sides grow."""
        return OWN_FACTOR if self.name == OWN else FACTORS[self.name]


def of_model(folder: Path) -> Upscaler | None:
    """Give the network that a model brings along; None where it has none."""
    file = folder / OWN_FILE
    return Upscaler(OWN, file) if file.is_file() else None


def stand_ins(shipped: Path) -> dict[str, Upscaler]:
    """Give those that the shipped model's own network stands in for, by name."""
    own = of_model(shipped)
    return {name: Upscaler(name, own.folder, own.name) for name in STOOD_IN_FOR} if own else {}


def find(folders: Iterable[Path]) -> dict[str, Upscaler]:
    """Find the weights of known upscalers, by name: files such as `RealESRGAN_x4plus.pth`."""
    places = list(folders)
    found: dict[str, Upscaler] = {}
    for name in FACTORS:
        files = (folder / f"{name}{ending}" for folder in places for ending in ENDINGS)
        here = next((file for file in files if file.is_file()), None)
        if here is not None:
            found[name] = Upscaler(name, here)
    return found
