"""Which part of a canvas is sent, at which size, and where its result goes. Arithmetic only."""

import math
from dataclasses import dataclass
from typing import Final

STEP: Final = 64
"""Sides of what is asked for are multiples of this."""
MAX_SIDE: Final = 3072
DEFAULT_MAX_PIXELS: Final = 1024 * 1024
GOOD_PIXELS: Final = 512 * 512
"""Smaller regions are sent enlarged: models draw badly in less."""
MIN_CONTEXT: Final = 32


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The first column beyond it."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """The first row below it."""
        return self.y + self.height

    @property
    def is_empty(self) -> bool:
        """Whether no pixel is in it."""
        return self.width <= 0 or self.height <= 0

    def grown(self, by: int) -> "Box":
        """The box with so many pixels more on each side."""
        return Box(self.x - by, self.y - by, self.width + 2 * by, self.height + 2 * by)

    def within(self, other: "Box") -> "Box":
        """What both have in common; perhaps empty."""
        x, y = max(self.x, other.x), max(self.y, other.y)
        right, bottom = min(self.right, other.right), min(self.bottom, other.bottom)
        return Box(x, y, max(0, right - x), max(0, bottom - y))


@dataclass(frozen=True)
class Region:
    """A part of the canvas, and the picture that stands for it on the wire.

    box: where it is on the canvas. content: the size to which the box is scaled.
    sent: the size of the whole picture; what exceeds `content` on its right and at its bottom
        continues the edge and is thrown away.
    """

    box: Box
    content: tuple[int, int]
    sent: tuple[int, int]


def around(
    chosen: Box,
    canvas: Box,
    *,
    context: int | None = None,
    max_pixels: int = DEFAULT_MAX_PIXELS,
) -> Region:
    """The region to send so that `chosen` is redrawn to fit what surrounds it.

    chosen: not empty, within the canvas. context: pixels around it that are sent, too; None: half
    of its longer side. The box grows to what `sent` has room for as far as the canvas goes.
    """
    if context is None:
        context = max(MIN_CONTEXT, max(chosen.width, chosen.height) // 2)
    box = chosen.grown(context).within(canvas)
    return scaled(box, canvas, max_pixels=max_pixels)


def scaled(box: Box, canvas: Box, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Region:
    """The region of a box that may grow, within the canvas, to fill multiples of 64."""
    scale = _scale(box, max_pixels)
    x, width, content_width, sent_width = _side(box.x, box.width, canvas.x, canvas.width, scale)
    y, height, content_height, sent_height = _side(
        box.y, box.height, canvas.y, canvas.height, scale
    )
    return Region(
        Box(x, y, width, height), (content_width, content_height), (sent_width, sent_height)
    )


def _scale(box: Box, max_pixels: int) -> float:
    """By how much a box is enlarged before it is sent."""
    area = box.width * box.height
    scale = 1.0
    if area < GOOD_PIXELS:
        scale = math.sqrt(GOOD_PIXELS / area)
    elif area > max_pixels:
        scale = math.sqrt(max_pixels / area)
    scale = min(scale, MAX_SIDE / box.width, MAX_SIDE / box.height)
    while scale > 0 and _sent(box.width, scale) * _sent(box.height, scale) > max_pixels:
        if _sent(box.width, scale) == _sent(box.height, scale) == STEP:
            break  # nothing smaller can be asked for
        scale *= 0.97  # rounding up went too far
    return scale


def _sent(length: int, scale: float) -> int:
    return min(MAX_SIDE, max(STEP, math.ceil(round(length * scale, 6) / STEP) * STEP))


def _side(
    start: int, length: int, canvas_start: int, canvas_length: int, scale: float
) -> tuple[int, int, int, int]:
    """One dimension: where the box begins and how long it is, its content, and what is sent."""
    sent = _sent(length, scale)
    wanted = min(canvas_length, max(length, math.floor(round(sent / scale, 6))))
    content = min(sent, max(1, round(wanted * scale)))
    if content == sent - 1:
        content = sent  # rounded down twice
    begin = start - (wanted - length) // 2
    begin = max(canvas_start, min(begin, canvas_start + canvas_length - wanted))
    return begin, wanted, content, sent


def unscaled(region: Region) -> Region:
    """The same region, pixel by pixel."""
    size = (region.box.width, region.box.height)
    return Region(region.box, size, size)


def small(box: Box, most: int) -> Region:
    """The region of a whole box, with no more than so many pixels on a side."""
    scale = min(1.0, most / max(box.width, box.height))
    sent = (max(1, round(box.width * scale)), max(1, round(box.height * scale)))
    return Region(box, sent, sent)


def size(width: int, height: int) -> tuple[int, int]:
    """The size to ask for, for a picture that is wanted in any size: no smaller, if possible."""
    return _sent(width, 1.0), _sent(height, 1.0)
