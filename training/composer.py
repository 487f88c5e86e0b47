"""Paints scenes: icons on backgrounds, recoloured where asked, on the CPU or a GPU."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from training import concepts, landscapes
from training.concepts import Recipe
from training.scenes import COLOURS, FRAMES, LONG, Icon, Item, Scene

OPAQUE = 200  # alpha of 255 above which a pixel counts for an icon's typical luminance


class Composer:
    """The icon pictures, and how to paint scenes with them.

    rgba: (n, side, side, 4), uint8, colours premultiplied by alpha.
    """

    def __init__(self, rgba: np.ndarray, icons: Sequence[Icon], *, device: str = "cpu") -> None:
        self.icons = list(icons)
        self.device = device
        self._rgba = torch.from_numpy(np.ascontiguousarray(rgba)).to(device)
        self._exponents = [_exponent(picture) for picture in rgba]

    @classmethod
    def load(cls, pack: Path, recipe: Recipe, *, device: str = "cpu") -> "Composer":
        """The icons of a recipe, from the pack that `python -m training data` wrote."""
        table = concepts.shipped()
        with np.load(pack) as arrays:
            columns = zip(arrays["concept"], arrays["style"], strict=True)
            names = [(str(concept), str(style)) for concept, style in columns]
            rows = [row for row, name in enumerate(names) if recipe.takes(*name)]
            icons = [
                Icon(index, names[row][0], table[names[row][0]].kind, names[row][1])
                for index, row in enumerate(rows)
            ]
            return cls(arrays["rgba"][rows], icons, device=device)

    def paint(self, scenes: Sequence[Scene], side: int) -> Tensor:
        """The scenes, all of one frame, as pictures.

        side: pixels of a square picture; others have about as many pixels.

        Returns (n, 3, height, width), float32, -1 to 1.
        """
        frame = scenes[0].frame
        whole = side if frame == "square" else round(side * LONG)
        pictures = self._grounds(scenes, whole)
        layers = [(*scene.props, *scene.items) for scene in scenes]
        for layer in range(max(len(each) for each in layers)):
            rows = [row for row, each in enumerate(layers) if len(each) > layer]
            stamped = self._stamp([layers[row][layer] for row in rows], whole)
            alpha = stamped[:, 3:]
            pictures[rows] = pictures[rows] * (1 - alpha) + stamped[:, :3]
        wide, high = (round(share * whole) for share in FRAMES[frame])
        left, top = (whole - wide) // 2, (whole - high) // 2
        return pictures[..., top : top + high, left : left + wide].clamp(0, 1) * 2 - 1

    def _grounds(self, scenes: Sequence[Scene], side: int) -> Tensor:
        """Backgrounds, 0 to 1."""
        upper = self._colours([scene.ground for scene in scenes])
        lower = self._colours([scene.ground_to or scene.ground for scene in scenes])
        down = torch.linspace(0, 1, side, device=self.device).view(1, 1, side, 1)
        painted = (upper * (1 - down) + lower * down).expand(-1, -1, -1, side).clone()
        for row, scene in enumerate(scenes):
            if scene.place is not None:
                pixels = torch.from_numpy(landscapes.ground(scene.place, side).copy())
                painted[row] = pixels.to(self.device).permute(2, 0, 1).float() / 255
        return painted

    def _colours(self, names: Sequence[str]) -> Tensor:
        rows = torch.tensor([COLOURS[name] for name in names], dtype=torch.float32)
        return (rows / 255).view(-1, 3, 1, 1).to(self.device)

    def _stamp(self, items: Sequence[Item], side: int) -> Tensor:
        """Each item alone at its place: (n, 4, side, side), premultiplied, 0 to 1."""
        rgba = self._rgba[[item.icon.index for item in items]].permute(0, 3, 1, 2).float() / 255
        for row, item in enumerate(items):
            if item.tint is not None:
                colour = self._colours([item.tint])[0]
                rgba[row] = recoloured(rgba[row], colour, self._exponents[item.icon.index])
        places = torch.tensor([_placement(item) for item in items], device=self.device)
        grid = F.affine_grid(places, [len(items), 4, side, side], align_corners=False)
        return F.grid_sample(rgba, grid, mode="bilinear", align_corners=False)


def recoloured(rgba: Tensor, colour: Tensor, exponent: float) -> Tensor:
    """An icon in shades of one colour, black kept black and white kept white.

    rgba: (4, h, w), premultiplied; colour: (3, 1, 1); both 0 to 1. exponent: raises the icon's
    typical luminance to one half, where the colour itself stands.
    """
    alpha = rgba[3:]
    plain = rgba[:3] / alpha.clamp_min(1e-3)
    luminance = (0.299 * plain[0] + 0.587 * plain[1] + 0.114 * plain[2]).clamp(0, 1)[None]
    shade = luminance**exponent
    dark = colour * (shade * 2).clamp(max=1)
    light = (shade * 2 - 1).clamp(min=0)
    return torch.cat([(dark * (1 - light) + light) * alpha, alpha])


def _exponent(rgba: np.ndarray) -> float:
    """The exponent that takes an icon's median luminance to one half, within sane limits."""
    opaque = rgba[rgba[..., 3] > OPAQUE][:, :3].astype(np.float32) / 255
    if not len(opaque):
        return 1.0
    median = float(np.median(opaque @ np.array([0.299, 0.587, 0.114], np.float32)))
    return float(np.log(0.5) / np.log(np.clip(median, 0.2, 0.85)))


def _placement(item: Item) -> list[list[float]]:
    """The affine map from scene to icon coordinates (-1 to 1) that affine_grid wants."""
    return [
        [1 / item.size, 0.0, (1 - 2 * item.x) / item.size],
        [0.0, 1 / item.size, (1 - 2 * item.y) / item.size],
    ]
