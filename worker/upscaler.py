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
    if OURS in processor.since
}
"""The horde's upscalers of one architecture (ESRGAN's, arXiv:1809.00219), and their factors for
sides; the first available one also enlarges pictures that a model made smaller than asked."""

ENDINGS: Final = (".safetensors", ".pth")


@dataclass(frozen=True)
class Upscaler(Model):
    """Weights of one upscaler. folder: the file itself."""

    @property
    def factor(self) -> int:
        """The factor by which sides grow."""
        return FACTORS[self.name]


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
