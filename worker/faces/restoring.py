"""Restores the faces of pictures. In the engine process only: uses torch."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from PIL import Image

from worker import network_files
from worker.faces.aligning import SIDE, Place
from worker.faces.detecting import Detector
from worker.faces.fixer import FaceFixer
from worker.renderer import BrokenResult, OnStep, nobody

if TYPE_CHECKING:
    from spandrel import ImageModelDescriptor

SEED: Final = 0
"""Some networks draw details by chance: the same for the same picture."""


class Restorers:
    """The networks loaded on a device; the last one stays. They are for 32-bit numbers."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._file = Path()
        self._network: ImageModelDescriptor[Any] | None = None
        self._detectors: dict[Path, Detector] = {}

    def load(self, fixer: FaceFixer) -> "ImageModelDescriptor[Any]":
        """Load a network, and what finds faces for it. Raises CannotLoad."""
        if fixer.detector not in self._detectors:
            self._detectors[fixer.detector] = Detector(fixer.detector)
        if self._network is None or self._file != fixer.folder:
            self._network = None  # one after the other in memory
            self._network = network_files.read(fixer.folder, "FaceSR").to(self._device)
            self._file = fixer.folder
        return self._network

    def restore(
        self, fixer: FaceFixer, image: Image.Image, on_step: OnStep = nobody
    ) -> tuple[Image.Image, int]:
        """Restore an RGB picture's faces; gives how many there are.

        on_step: is called after each. Raises CannotLoad, BrokenResult.
        """
        network = self.load(fixer)
        faces = self._detectors[fixer.detector].find(image)
        for number, face in enumerate(faces, start=1):
            place = Place(face.points)
            cut = place.cut(image)
            image = place.put_back(Image.blend(cut, _restored(network, cut), fixer.strength), image)
            on_step(number, len(faces))
        return image, len(faces)

    def prove(self, fixer: FaceFixer) -> None:
        """See a network at work. Raises CannotLoad, BrokenResult."""
        _restored(self.load(fixer), Image.new("RGB", (SIDE, SIDE), "grey"))


def _restored(network: "ImageModelDescriptor[Any]", face: Image.Image) -> Image.Image:
    """Let a network redraw a face. Raises BrokenResult."""
    levels = torch.from_numpy(np.asarray(face, dtype=np.float32) / 255)
    with torch.random.fork_rng(), torch.inference_mode():
        torch.manual_seed(SEED)
        made = network(levels.permute(2, 0, 1)[None].to(network.device)).float()
    if not made.isfinite().all():
        raise BrokenResult("the face fixer's numbers ran out of range")
    pixels = (made[0].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()
    return Image.fromarray(pixels).resize(face.size, Image.Resampling.LANCZOS)
