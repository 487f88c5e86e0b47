"""Enlarges pictures with Real-ESRGAN's networks. In the engine process only: uses torch.

The large one is ESRGAN's (arXiv:1809.00219, section 3.1) as Real-ESRGAN (arXiv:2107.10833) has it:
for a factor of 2 it takes the picture's 2 x 2 blocks as channels, and enlarges those fourfold. The
small one, for drawn pictures, is Real-ESRGAN's "SRVGGNetCompact": one chain of convolutions that
says by how much the picture, enlarged as it is, has to change.
"""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from worker.renderer import CannotLoad, OnStep
from worker.upscaler import Upscaler

TILE: Final = 192
RIM: Final = 16
"""Pixels of a tile's side, and of the rim around it that is seen; even numbers."""

RESIDUAL: Final = 0.2
SLOPE: Final = 0.2

OLDER_NAMES: Final = {
    r"^model\.0\.": "conv_first.",
    r"^model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)\.0\.": r"body.\1.rdb\2.conv\3.",
    r"^model\.1\.sub\.\d+\.": "conv_body.",
    r"^model\.3\.": "conv_up1.",
    r"^model\.6\.": "conv_up2.",
    r"^model\.8\.": "conv_hr.",
    r"^model\.10\.": "conv_last.",
}
"""ESRGAN's own names of its layers, and Real-ESRGAN's."""


class Networks:
    """The networks loaded on a device; they are small enough to stay."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._loaded: dict[Upscaler, _Tiled] = {}

    def load(self, upscaler: Upscaler) -> None:
        """Load a network. Raises CannotLoad."""
        if upscaler in self._loaded:
            return
        try:
            network = _network(_weights(upscaler.folder))
        except Exception as error:  # a broken file fails in as many ways as a file can be broken
            raise CannotLoad(f"{upscaler.folder}: {type(error).__name__}: {error}") from error
        if network.factor != upscaler.factor:
            raise CannotLoad(f"{upscaler.folder} enlarges {network.factor} times")
        self._loaded[upscaler] = network.eval().to(self._device)

    def enlarge(
        self, upscaler: Upscaler, image: Image.Image, on_step: OnStep = lambda *_: None
    ) -> Image.Image:
        """Enlarge an RGB picture, tile by tile; `on_step` is called after each."""
        self.load(upscaler)
        network, factor = self._loaded[upscaler], upscaler.factor
        pixels = torch.from_numpy(np.asarray(image, dtype=np.float32) / 255).permute(2, 0, 1)[None]
        rows, columns = image.height * factor, image.width * factor
        large = np.empty((rows, columns, 3), np.uint8)  # bytes: as numbers it takes four times more
        corners = [
            (top, left)
            for top in range(0, image.height, TILE)
            for left in range(0, image.width, TILE)
        ]
        for step, (top, left) in enumerate(corners, start=1):
            with torch.inference_mode():
                made = network.tile(pixels, top, left, self._device).cpu()
            tile = (made[0].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
            y, x = top * factor, left * factor
            large[y : y + tile.shape[0], x : x + tile.shape[1]] = tile
            on_step(step, len(corners))
        return Image.fromarray(large)


class _Tiled(nn.Module):  # type: ignore[misc]  # untyped
    """A network that enlarges tiles.

    factor: what it multiplies sides by. fold: sides of what it takes are a multiple of it.
    """

    factor: int
    fold: int = 1

    def tile(self, pixels: Tensor, top: int, left: int, device: str) -> Tensor:
        """Enlarge the tile at this corner, which sees a rim of its surroundings."""
        high, wide = (min(TILE, side - at) for side, at in zip(pixels.shape[-2:], (top, left)))  # noqa: B905
        above, before = min(RIM, top), min(RIM, left)
        seen = pixels[..., top - above : top + high + RIM, left - before : left + wide + RIM].to(
            device
        )
        rows, columns = (-side % self.fold for side in seen.shape[-2:])
        made = self(functional.pad(seen, (0, columns, 0, rows), mode="replicate"))
        y, x = above * self.factor, before * self.factor
        return made[..., y : y + high * self.factor, x : x + wide * self.factor]


class _Compact(_Tiled):
    """The small network; its measures are read off its weights."""

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for place in range(len({name.split(".")[1] for name in weights})):
            weight = weights[f"body.{place}.weight"]
            made, channels = len(weight), weight.shape[1] if weight.dim() > 1 else 0
            layers.append(_convolution(channels, made) if channels else nn.PReLU(made))
        self.body = nn.Sequential(*layers)
        self.factor = math.isqrt(made // 3)
        self.load_state_dict(dict(weights))

    def forward(self, pixels: Tensor) -> Tensor:
        """Enlarge (n, 3, height, width), values 0 to 1."""
        as_it_is = functional.interpolate(pixels, scale_factor=self.factor, mode="nearest")
        return functional.pixel_shuffle(self.body(pixels), self.factor) + as_it_is


class _Network(_Tiled):
    """The large network; its measures are read off its weights."""

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        width, channels = weights["conv_first.weight"].shape[:2]
        growth = weights["body.0.rdb1.conv1.weight"].shape[0]
        blocks = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("body."))
        self.fold = {3: 1, 12: 2}[channels]
        self.factor = 4 // self.fold
        self.conv_first = _convolution(channels, width)
        self.body = nn.Sequential(*(_Block(width, growth) for _ in range(blocks)))
        self.conv_body = _convolution(width, width)
        self.conv_up1 = _convolution(width, width)
        self.conv_up2 = _convolution(width, width)
        self.conv_hr = _convolution(width, width)
        self.conv_last = _convolution(width, 3)
        self.load_state_dict(dict(weights))

    def forward(self, pixels: Tensor) -> Tensor:
        """Enlarge (n, 3, height, width), values 0 to 1."""
        first = self.conv_first(functional.pixel_unshuffle(pixels, self.fold))
        features = first + self.conv_body(self.body(first))
        for convolution in (self.conv_up1, self.conv_up2):
            larger = functional.interpolate(features, scale_factor=2, mode="nearest")
            features = _activated(convolution(larger))
        return self.conv_last(_activated(self.conv_hr(features)))


class _Block(nn.Module):  # type: ignore[misc]  # untyped
    """A residual in residual dense block."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.rdb1 = _Dense(width, growth)
        self.rdb2 = _Dense(width, growth)
        self.rdb3 = _Dense(width, growth)

    def forward(self, features: Tensor) -> Tensor:
        return features + RESIDUAL * self.rdb3(self.rdb2(self.rdb1(features)))


class _Dense(nn.Module):  # type: ignore[misc]  # untyped
    """Five convolutions, each of which sees the output of all before it."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.conv1 = _convolution(width, growth)
        self.conv2 = _convolution(width + growth, growth)
        self.conv3 = _convolution(width + 2 * growth, growth)
        self.conv4 = _convolution(width + 3 * growth, growth)
        self.conv5 = _convolution(width + 4 * growth, width)

    def forward(self, features: Tensor) -> Tensor:
        seen = features
        for convolution in (self.conv1, self.conv2, self.conv3, self.conv4):
            seen = torch.cat((seen, _activated(convolution(seen))), dim=1)
        return features + RESIDUAL * self.conv5(seen)


def _network(weights: Mapping[str, Tensor]) -> _Tiled:
    return _Network(weights) if "conv_first.weight" in weights else _Compact(weights)


def _convolution(channels: int, made: int) -> nn.Conv2d:
    return nn.Conv2d(channels, made, kernel_size=3, padding=1)


def _activated(features: Tensor) -> Tensor:
    return functional.leaky_relu(features, negative_slope=SLOPE)


def _weights(path: Path) -> dict[str, Tensor]:
    """Read weights, under Real-ESRGAN's names."""
    if path.suffix == ".safetensors":
        read = load_file(path)
    else:
        read = torch.load(path, map_location="cpu", weights_only=True)
    for wrapped in ("params_ema", "params"):
        read = read.get(wrapped, read)
    return {_name(name): tensor.float() for name, tensor in read.items()}


def _name(name: str) -> str:
    for older, newer in OLDER_NAMES.items():
        name = re.sub(older, newer, name)
    return name
