"""The size at which a picture is made, so that every requested size gives a good one.

A diffusion model composes well near the size it was trained on: far below it makes fragments, far
above it repeats itself. So a picture is made near the native size, with sides that the network can
make and nearly the requested shape, and then scaled.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from worker.image.order import Checkpoint, PictureOrder

MIN_AREA: Final = 0.5
"""As a share of the native area: smaller pictures are made larger, then scaled down."""
MAX_AREA: Final = 2.25
"""As a share of the native area: at 1.5 times the native sides, models still compose one scene."""
MAX_SIDE: Final = 2.0
"""As a share of the native side, for wide and tall pictures."""
SMALL_NATIVE: Final = 256
SMALL_SIDES: Final = (0.75, 1.25)
"""The shortest and longest side as shares of a native side up to 256: a model of few tokens loses
its subject on shorter ones and draws it twice on longer ones (seen with the shipped model)."""
SMALL_REFINEMENT: Final = 0.1
"""Of an enlarged picture that may be redrawn, for such a model: by more it draws its thing again in
every corner (looked at with the shipped model: 0.1 is clean, 0.2 smears, 0.3 shatters)."""
REFINED_AREA: Final = 16.0
"""As a share of the native area: the limit of the hires fix, which keeps a composition."""


@dataclass(frozen=True)
class Size:
    """Width and height in pixels."""

    width: int
    height: int

    @property
    def area(self) -> int:
        """Pixels."""
        return self.width * self.height

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


@dataclass(frozen=True)
class Larger:
    """What a hires fix makes of a composition. strength: 0 to 1, how much of it is redrawn."""

    size: Size
    strength: float

    def steps(self, of: int) -> int:
        """So many of an order's steps redraw it: one at least."""
        return redrawn(of, self.strength)


def redrawn(steps: int, strength: float) -> int:
    """Say how many of an order's steps redraw a picture at this strength: one at least."""
    return max(1, min(steps, round(steps * strength)))


def of_order(order: PictureOrder) -> Size:
    """The size at which an order's pictures are made at first."""
    wanted, native = Size(order.width, order.height), order.checkpoint.native
    if order.exact:
        return wanted
    is_free = order.source is None and order.control is None
    if order.checkpoint.square_only and is_free and not order.tiling:
        return Size(native, native)
    if _is_refined(order) and wanted.area > native**2:
        return _closest(wanted, order.checkpoint)  # a hires fix is asked for what composes best
    return to_compose(wanted, order.checkpoint)


def refined(order: PictureOrder, composed: Size) -> Size | None:
    """The size of an order's hires fix; None where there is nothing to gain by it."""
    if not _is_refined(order):
        return None
    larger = to_refine(Size(order.width, order.height), order.checkpoint)
    return larger if larger.area > composed.area else None


def is_enlarged(order: PictureOrder) -> bool:
    """Whether the model's own network makes a larger picture better than a second pass."""
    return order.checkpoint.enlarger is not None and not order.tiling


def wraps_late(order: PictureOrder) -> bool:
    """Whether a tile's edges meet only once it is composed."""
    return order.tiling and order.checkpoint.native <= SMALL_NATIVE


def to_compose(wanted: Size, checkpoint: Checkpoint) -> Size:
    """The size at which the model composes: the wanted one if it can, else the closest in shape."""
    if _fits(wanted, checkpoint) and _is_made_of(wanted, checkpoint.multiple):
        return wanted
    return _closest(wanted, checkpoint)


def to_refine(wanted: Size, checkpoint: Checkpoint) -> Size:
    """The size at which the hires fix refines a composition: the wanted one, up to a limit."""
    most = REFINED_AREA * checkpoint.native**2
    scale = min(1.0, math.sqrt(most / wanted.area))
    return Size(
        _nearest(wanted.width * scale, checkpoint.multiple),
        _nearest(wanted.height * scale, checkpoint.multiple),
    )


def refinement(strength: float, checkpoint: Checkpoint) -> float:
    """How much of an enlarged picture is redrawn where `strength` was asked for."""
    return min(strength, SMALL_REFINEMENT) if checkpoint.native <= SMALL_NATIVE else strength


def _is_refined(order: PictureOrder) -> bool:
    """Whether there is a second pass over a larger picture, where one is wanted."""
    return order.hires_strength is not None and order.source is None and not is_enlarged(order)


def _closest(wanted: Size, checkpoint: Checkpoint) -> Size:
    """Of the sizes that the model can compose, the closest in shape and to its native area."""
    return min(
        _possible(checkpoint), key=lambda size: (_mismatch(size, wanted, checkpoint), size.area)
    )


def _fits(size: Size, checkpoint: Checkpoint) -> bool:
    native = checkpoint.native
    shortest, longest = SMALL_SIDES if native <= SMALL_NATIVE else (0.0, MAX_SIDE)
    return (
        MIN_AREA * native**2 <= size.area <= MAX_AREA * native**2
        and shortest * native <= min(size.width, size.height)
        and max(size.width, size.height) <= longest * native
    )


def _is_made_of(size: Size, multiple: int) -> bool:
    return size.width % multiple == 0 and size.height % multiple == 0


def _possible(checkpoint: Checkpoint) -> Iterator[Size]:
    sides = range(checkpoint.multiple, int(MAX_SIDE * checkpoint.native) + 1, checkpoint.multiple)
    yield Size(checkpoint.native, checkpoint.native)
    for width in sides:
        for height in sides:
            if _fits(Size(width, height), checkpoint):
                yield Size(width, height)


def _mismatch(size: Size, wanted: Size, checkpoint: Checkpoint) -> float:
    """How far a size is from the wanted shape, and, less important, from the native area."""
    shape = abs(math.log(size.width / size.height * wanted.height / wanted.width))
    area = abs(math.log(size.area / checkpoint.native**2))
    return shape + area / 4


def _nearest(side: float, multiple: int) -> int:
    return max(multiple, round(side / multiple) * multiple)
