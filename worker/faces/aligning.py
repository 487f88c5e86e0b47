"""Cuts faces out upright, all of one size, and puts them back."""

import math
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Numbers: TypeAlias = NDArray[np.float64]

SIDE: Final = 512
"""Pixels of a side of a face that is cut out."""
PLACES: Final = np.array(
    ((192.98, 239.95), (318.90, 240.19), (256.63, 314.02), (201.26, 371.41), (313.09, 371.15))
)
"""Where its eyes, nose and corners of the mouth are then: as in the faces that the networks for
restoring were trained on (FFHQ, arXiv:1812.04948)."""
SOFT: Final = 0.12
"""Of a side, over which what is put back passes into its surroundings."""


class Place:
    """A face's place in a picture. points: its eyes, nose and corners of the mouth there."""

    def __init__(self, points: NDArray[np.float32]) -> None:
        self._to_picture = _similar(PLACES, points.astype(np.float64))
        self._scale = math.hypot(self._to_picture[0, 0], self._to_picture[1, 0])

    def cut(self, image: Image.Image) -> Image.Image:
        """Cut the face out of an RGB picture."""
        left, top, right, bottom = self._around(image)
        if left >= right or top >= bottom:
            return Image.new("RGB", (SIDE, SIDE))
        # Filters of transformations see few pixels: a large face is made smaller before.
        factor = max(1.0, self._scale)
        size = (math.ceil((right - left) / factor), math.ceil((bottom - top) / factor))
        around = image.crop((left, top, right, bottom)).resize(size, Image.Resampling.LANCZOS)
        to_around = _moved(self._to_picture, -left, -top)
        to_around[0] *= size[0] / (right - left)
        to_around[1] *= size[1] / (bottom - top)
        return _transformed(around, (SIDE, SIDE), to_around)

    def put_back(self, face: Image.Image, image: Image.Image) -> Image.Image:
        """Put a face into an RGB picture from which it was cut; gives another picture."""
        left, top, right, bottom = self._around(image)
        if left >= right or top >= bottom:
            return image
        side = max(1, min(SIDE, round(SIDE * self._scale)))
        small = face.resize((side, side), Image.Resampling.LANCZOS)
        from_picture = np.linalg.inv(np.vstack((self._to_picture, (0, 0, 1))))[:2] * side / SIDE
        from_box = from_picture.copy()
        from_box[:, 2] += from_picture[:, :2] @ np.array((left, top))
        size = (right - left, bottom - top)
        made = image.copy()
        made.paste(
            _transformed(small, size, from_box),
            (left, top),
            _transformed(_mask(side), size, from_box),
        )
        return made

    def _around(self, image: Image.Image) -> tuple[int, int, int, int]:
        """Give the box of the picture in which the cut-out is; what is beyond it is black."""
        corners = np.array(((0, 0, 1), (SIDE, 0, 1), (0, SIDE, 1), (SIDE, SIDE, 1)))
        there = corners @ self._to_picture.T
        left, top = np.floor(there.min(axis=0)).astype(int).tolist()
        right, bottom = np.ceil(there.max(axis=0)).astype(int).tolist()
        return max(0, left), max(0, top), min(image.width, right), min(image.height, bottom)


def _similar(of: Numbers, to: Numbers) -> Numbers:
    """Find how points are turned, scaled and moved to others, as near as can be (2 x 3)."""
    here, there = of - of.mean(axis=0), to - to.mean(axis=0)
    square = (here**2).sum()
    along = (here * there).sum() / square
    across = (here[:, 0] * there[:, 1] - here[:, 1] * there[:, 0]).sum() / square
    turned = np.array(((along, -across), (across, along)))
    moved = to.mean(axis=0) - turned @ of.mean(axis=0)
    found: Numbers = np.column_stack((turned, moved))
    return found


def _moved(places: Numbers, right: float, down: float) -> Numbers:
    moved: Numbers = places + np.array(((0, 0, right), (0, 0, down)))
    return moved


def _transformed(image: Image.Image, size: tuple[int, int], places: Numbers) -> Image.Image:
    """Make a picture of the pixels that an image has at other places."""
    how = tuple(places.ravel().tolist())
    return image.transform(size, Image.Transform.AFFINE, how, Image.Resampling.BICUBIC)


def _mask(side: int) -> Image.Image:
    """Say how much of a face is put back: all in the middle, nothing at the edges."""
    to_edge = np.minimum(np.arange(side) + 0.5, side - np.arange(side) - 0.5) / side
    near = np.clip(to_edge / SOFT, 0, 1)
    soft = near * near * (3 - 2 * near)
    return Image.fromarray((np.minimum.outer(soft, soft) * 255).round().astype(np.uint8))
