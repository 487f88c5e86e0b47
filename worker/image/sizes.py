"""At which size a picture is made, so that every requested size gives a good one.

A diffusion model composes well near the size it was trained on: far below it sees fragments, far
above it repeats itself. So a picture is made near the native size, with the sides the network can
make and nearly the requested shape, and then scaled.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from worker.image.order import Checkpoint

MIN_AREA: Final = 0.5
"""Of the native area: smaller pictures are made larger, then scaled down."""
MAX_AREA: Final = 2.25
"""Of the native area: with sides 1.5 times the native ones, models still compose one scene."""
MAX_SIDE: Final = 2.0
"""Of the native side, for wide and tall pictures."""
SMALL_NATIVE: Final = 256
SMALL_SIDES: Final = (0.75, 1.25)
"""Shortest and longest, of a native side up to 256: a model of few tokens loses its thing on
shorter ones and draws it twice on longer ones (looked at with the shipped model)."""
SMALL_STRENGTH: Final = 0.2
"""As much as the hires fix may redraw with such a model: more breaks the picture into many."""
REFINED_AREA: Final = 16.0
"""Of the native area: as far as the hires fix, which keeps a composition, goes beyond it."""


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


def to_compose(wanted: Size, checkpoint: Checkpoint) -> Size:
    """The size at which the model composes: the wanted one if it can, else the closest in shape."""
    if _fits(wanted, checkpoint) and _is_made_of(wanted, checkpoint.multiple):
        return wanted
    return min(
        _possible(checkpoint), key=lambda size: (_mismatch(size, wanted, checkpoint), size.area)
    )


def to_refine(wanted: Size, checkpoint: Checkpoint) -> Size:
    """The size at which the hires fix refines a composition: the wanted one, up to a limit."""
    most = REFINED_AREA * checkpoint.native**2
    scale = min(1.0, math.sqrt(most / wanted.area))
    return Size(
        _nearest(wanted.width * scale, checkpoint.multiple),
        _nearest(wanted.height * scale, checkpoint.multiple),
    )


def refining_strength(wanted: float, checkpoint: Checkpoint) -> float:
    """How much the hires fix redraws, 0 to 1: as wanted, up to what the model can take."""
    return min(wanted, SMALL_STRENGTH) if checkpoint.native <= SMALL_NATIVE else wanted


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
