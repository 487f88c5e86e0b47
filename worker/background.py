"""Removes plain backgrounds: one colour, or one that changes slowly over the picture.

Nothing here is learned, so what it cannot do it refuses: a picture whose edge is not plain.
"""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage  # type: ignore[import-untyped]

from worker.renderer import CannotRender

Floats: TypeAlias = NDArray[np.float32]
Mask: TypeAlias = NDArray[np.bool_]

RIM: Final = 3
"""Pixels at each edge that are taken for background."""
PLAIN: Final = 18.0
"""Levels by which background may differ from what it is taken for."""
FAR: Final = 240.0
"""Levels by which even a background that changes slowly does not differ from its middle."""
MIN_PLAIN: Final = 0.8
"""Part of the rim that must be plain; the rest may be something that reaches the edge."""
CRUMB: Final = 1 / 2000
"""Part of the picture that the smallest thing in it takes."""
ROUNDS: Final = 3
SOFT_PIXELS: Final = 2


def removed(image: Image.Image) -> Image.Image:
    """Return the picture (RGBA) with its background transparent. Raises CannotRender."""
    alpha = np.asarray(image.getchannel("A"))
    if alpha.min() == 0:
        return image  # somebody has removed it already
    pixels = np.asarray(image.convert("RGB"), dtype=np.float32)
    ground = _ground(pixels)
    distance: Floats = np.sqrt(((pixels - ground) ** 2).sum(axis=2)).astype(np.float32)
    outside = _reached(distance < PLAIN)
    outside |= _crumbs(~outside)
    opacity = np.where(outside, np.float32(0), np.float32(1))
    own = pixels.copy()
    # At the border of both, pixels are a mixture: of the background, and of the nearest of the
    # thing's own colours.
    near = ndimage.binary_dilation(outside, iterations=SOFT_PIXELS) & ~outside
    inner = ~outside & ~near
    if near.any() and inner.any():
        rows, columns = ndimage.distance_transform_edt(
            ~inner, return_distances=False, return_indices=True
        )
        thing = pixels[rows[near], columns[near]]
        across = thing - ground[near]
        length = np.maximum((across**2).sum(axis=1), 1)
        mixture = ((pixels[near] - ground[near]) * across).sum(axis=1) / length
        opacity[near], own[near] = np.clip(mixture, 0, 1), thing
    made = np.dstack((np.clip(own, 0, 255), opacity * 255)).round().astype(np.uint8)
    return Image.fromarray(made)


def plain(image: Image.Image) -> Image.Image:
    """Give the background alone of a picture (RGB); its middle colour where it is not plain."""
    pixels = np.asarray(image.convert("RGB"), dtype=np.float32)
    try:
        ground = _ground(pixels)
    except CannotRender:
        ground = np.broadcast_to(np.median(pixels, axis=(0, 1)), pixels.shape)
    return Image.fromarray(np.clip(ground, 0, 255).round().astype(np.uint8))


def _ground(pixels: Floats) -> Floats:
    """Find the background by its rim: a surface of the second order. Raises CannotRender."""
    high, wide = pixels.shape[:2]
    rows, columns = np.mgrid[0:high, 0:wide].astype(np.float32)
    y, x = rows / max(high - 1, 1) - 0.5, columns / max(wide - 1, 1) - 0.5
    terms = np.stack((np.ones_like(x), x, y, x * x, y * y, x * y), axis=-1)
    rim = np.ones((high, wide), bool)
    rim[RIM:-RIM, RIM:-RIM] = False
    there, seen = terms[rim], pixels[rim]
    near = np.linalg.norm(seen - np.median(seen, axis=0), axis=1) < FAR
    for _ in range(ROUNDS):
        if near.mean() < MIN_PLAIN / 2:
            break
        surface = np.linalg.lstsq(there[near], seen[near], rcond=None)[0]
        near = np.linalg.norm(there @ surface - seen, axis=1) < PLAIN
    if near.mean() < MIN_PLAIN:
        raise CannotRender("the background is not plain")
    ground: Floats = (terms @ surface).astype(np.float32)
    return ground


def _crumbs(thing: Mask) -> Mask:
    """Find what is left that is too small to be anything, as darker corners are."""
    parts, _ = ndimage.label(thing)
    sizes = np.bincount(parts.ravel())
    small: Mask = thing & (sizes < CRUMB * thing.size)[parts]
    return small


def _reached(plain: Mask) -> Mask:
    """Find what of it hangs together with an edge: a hole in the thing is not background."""
    parts, _ = ndimage.label(plain)
    edges = np.concatenate((parts[0], parts[-1], parts[:, 0], parts[:, -1]))
    reached: Mask = np.isin(parts, np.setdiff1d(edges, [0]))
    return reached
