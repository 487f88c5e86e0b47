"""Enlarges pictures with networks, tile by tile. In the engine process only: uses torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from worker import network_files
from worker.renderer import BrokenResult, CannotLoad, CannotRender, OnStep, nobody
from worker.upscaler import Upscaler

if TYPE_CHECKING:
    from spandrel import ImageModelDescriptor

TRIAL: Final = (16, 16)
TILE: Final = 192
MIN_TILE: Final = 48
RIM: Final = 16
"""Pixels of a tile's side at first and at last, and of the rim around it that is seen."""


class Networks:
    """The networks loaded on a device; they are small enough to stay."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._loaded: dict[Upscaler, _Tiled] = {}

    def load(self, upscaler: Upscaler) -> None:
        """Load a network. Raises CannotLoad."""
        if upscaler in self._loaded:
            return
        network = _Tiled(upscaler.folder, self._device)
        if network.factor != upscaler.factor and not upscaler.stand_in:
            raise CannotLoad(f"{upscaler.folder} enlarges {network.factor} times")
        self._loaded[upscaler] = network

    def prove(self, upscaler: Upscaler) -> None:
        """See a network at work. Raises CannotLoad, BrokenResult."""
        self.enlarge(upscaler, Image.new("RGB", TRIAL, "red"))

    def enlarge(
        self, upscaler: Upscaler, image: Image.Image, on_step: OnStep = nobody
    ) -> Image.Image:
        """Enlarge an RGB picture; `on_step` is called after each tile.

        Raises CannotLoad, CannotRender; BrokenResult where the network's numbers are none.
        """
        self.load(upscaler)
        large = self._loaded[upscaler].enlarge(image, on_step)
        size = (image.width * upscaler.factor, image.height * upscaler.factor)
        return large if large.size == size else large.resize(size, Image.Resampling.LANCZOS)


@dataclass(frozen=True)
class _Corner:
    """Where a tile is. high, wide: as far as it reaches."""

    top: int
    left: int
    high: int
    wide: int


class _Tiled:
    """A network that enlarges tiles, on a GPU with 16-bit numbers where it can."""

    def __init__(self, file: Path, device: str) -> None:
        self._file = file
        self._device = device
        self._network = self._read()
        if device == "cuda" and self._network.supports_half:
            self._network.half()
        self.factor = self._network.scale
        self._side = TILE

    def _read(self) -> "ImageModelDescriptor[Any]":
        return network_files.read(self._file, "SR").to(self._device)

    def enlarge(self, image: Image.Image, on_step: OnStep) -> Image.Image:
        """Enlarge a picture; where memory does not suffice, by smaller tiles from now on."""
        while True:
            try:
                return self._enlarged(image, on_step)
            except torch.OutOfMemoryError as error:
                if self._side // 2 < MIN_TILE:
                    raise CannotRender("there is too little memory to enlarge pictures") from error
            # Not above, where the traceback still holds the tensors.
            self._side //= 2
            torch.cuda.empty_cache()

    def _enlarged(self, image: Image.Image, on_step: OnStep) -> Image.Image:
        levels = np.asarray(image)
        rows, columns = image.height * self.factor, image.width * self.factor
        large = np.empty((rows, columns, 3), np.uint8)  # bytes: as numbers it takes four times more
        corners = [
            _Corner(
                top, left, min(self._side, image.height - top), min(self._side, image.width - left)
            )
            for top in range(0, image.height, self._side)
            for left in range(0, image.width, self._side)
        ]
        for step, corner in enumerate(corners, start=1):
            y, x = corner.top * self.factor, corner.left * self.factor
            tile = self._tile(levels, corner)
            large[y : y + tile.shape[0], x : x + tile.shape[1]] = tile
            on_step(step, len(corners))
        return Image.fromarray(large)

    def _tile(self, levels: NDArray[np.uint8], corner: _Corner) -> NDArray[np.uint8]:
        """Enlarge a tile, which sees a rim of its surroundings."""
        above, before = min(RIM, corner.top), min(RIM, corner.left)
        seen = levels[
            corner.top - above : corner.top + corner.high + RIM,
            corner.left - before : corner.left + corner.wide + RIM,
        ]
        made = self._run(torch.from_numpy(seen.astype(np.float32) / 255).permute(2, 0, 1)[None])
        y, x = above * self.factor, before * self.factor
        inner = made[0, :, y : y + corner.high * self.factor, x : x + corner.wide * self.factor]
        tile: NDArray[np.uint8] = (inner * 255).round().byte().permute(1, 2, 0).cpu().numpy()
        return tile

    def _run(self, pixels: Tensor) -> Tensor:
        """Run the network; where its numbers run out of range in 16 bits, in 32 from now on."""
        while True:
            made = self._network(pixels.to(self._network.device, self._network.dtype)).float()
            if made.isfinite().all():
                return made
            if self._network.dtype == torch.float32:
                raise BrokenResult("the upscaler's numbers ran out of range")
            self._network = self._read()  # its weights were rounded
