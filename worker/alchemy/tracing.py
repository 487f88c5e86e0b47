"""Makes vector graphics of pictures: areas of few colours, one above the other, as SVG.

Each colour's area, together with those of all colours above it, is outlined along the edges of its
pixels; the outlines are simplified (Ramer 1972, Douglas and Peucker 1973). So no gap can be seen
between neighbours.
"""

from collections.abc import Iterator
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from worker.alchemy.colours import merged
from worker.renderer import CannotRender

Mask: TypeAlias = NDArray[np.bool_]
Point: TypeAlias = tuple[int, int]
Points: TypeAlias = NDArray[np.float64]

MAX_SIDE: Final = 384
"""Pixels that are looked at; the result has the picture's own size."""
ALIKE: Final = 7.0
"""Colours that differ by less (in CIELAB) are one: a shade is not a shape."""
BLUR_PIXELS: Final = 0.8
ATTEMPTS: Final = ((16, 1.0, 8), (10, 1.3, 20), (6, 2.0, 40), (3, 3.0, 100))
"""Colours, pixels by which an outline may be off, and the smallest area in pixels: the first whose
result is short enough counts."""
MAX_CHARS: Final = 200_000
"""As much as fits into an answer, with room for what stands around it."""


def traced(image: Image.Image) -> str:
    """Return an RGB picture as SVG. Raises CannotRender if it has too many shapes."""
    small = image.copy()
    small.thumbnail((MAX_SIDE, MAX_SIDE))
    for colours, tolerance, least in ATTEMPTS:
        svg = _svg(small, image.size, colours, tolerance, least)
        if len(svg) <= MAX_CHARS:
            return svg
    raise CannotRender("the picture has too many shapes for vector graphics")


def _svg(
    small: Image.Image, size: tuple[int, int], colours: int, tolerance: float, least: int
) -> str:
    soft = small.filter(ImageFilter.GaussianBlur(BLUR_PIXELS))
    flat = soft.quantize(colours, Image.Quantize.MEDIANCUT, kmeans=2, dither=Image.Dither.NONE)
    palette = bytes(flat.getpalette() or ())
    levels = np.frombuffer(palette, np.uint8).reshape(-1, 3).astype(np.float64)
    first = np.asarray(flat)
    stands = merged(levels, np.bincount(first.ravel(), minlength=len(levels)), ALIKE)
    shapes = Image.fromarray(stands[first].astype(np.uint8)).filter(ImageFilter.ModeFilter(5))
    indices = np.asarray(shapes)
    counts = np.bincount(indices.ravel(), minlength=len(levels))
    order = [int(index) for index in np.argsort(-counts, kind="stable") if counts[index]]
    rank = np.zeros(256, np.int64)
    rank[order] = np.arange(len(order))
    height = rank[indices]
    parts = []
    for place, index in enumerate(order):
        colour = "#" + palette[3 * index : 3 * index + 3].hex()
        if place == 0:
            parts.append(f'<path fill="{colour}" d="M0 0h{small.width}v{small.height}H0z"/>')
            continue
        outlines = "".join(_outlines(height >= place, tolerance, least))
        if outlines:
            parts.append(f'<path fill="{colour}" fill-rule="evenodd" d="{outlines}"/>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size[0]}" height="{size[1]}" '
        f'viewBox="0 0 {small.width} {small.height}">{"".join(parts)}</svg>'
    )


def _outlines(mask: Mask, tolerance: float, least: int) -> Iterator[str]:
    for loop in _loops(mask):
        points = np.array(loop, dtype=np.float64)
        x, y = points.T
        area = abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2
        if area >= least:
            kept = _simplified(points, tolerance)
            if len(kept) > 2:  # noqa: PLR2004 - a triangle
                yield "M" + "L".join(f"{x:g} {y:g}" for x, y in kept) + "z"


def _loops(mask: Mask) -> Iterator[list[Point]]:
    """Walk along the edges of a mask's pixels, which are on the right; corners only."""
    padded = np.pad(mask, 1)
    onward: dict[Point, list[Point]] = {}
    inside = padded[1:-1, 1:-1]
    for shifted, begin, end in (
        (padded[:-2, 1:-1], (0, 0), (1, 0)),  # the top edge, to the right
        (padded[1:-1, 2:], (1, 0), (1, 1)),  # the right one, down
        (padded[2:, 1:-1], (1, 1), (0, 1)),
        (padded[1:-1, :-2], (0, 1), (0, 0)),
    ):
        for y, x in np.argwhere(inside & ~shifted).tolist():
            onward.setdefault((x + begin[0], y + begin[1]), []).append((x + end[0], y + end[1]))
    while onward:
        start = next(iter(onward))
        here, came, loop = start, (0, 0), []
        while True:
            ends = onward[here]
            there = ends.pop(_right_turn(here, came, ends))
            if not ends:
                del onward[here]
            step = (there[0] - here[0], there[1] - here[1])
            if step != came:
                loop.append(here)
            here, came = there, step
            if here == start and start not in onward:
                break
            if here not in onward:  # cannot be: every corner is left as often as it is reached
                break
        yield loop


def _right_turn(here: Point, came: Point, ends: list[Point]) -> int:
    """At a corner where two areas touch, stay with the one that was walked along."""
    turn = (-came[1], came[0])
    for index, there in enumerate(ends):
        if (there[0] - here[0], there[1] - here[1]) == turn:
            return index
    return len(ends) - 1


def _simplified(points: Points, tolerance: float) -> Points:
    """Leave out corners of a closed outline that are nearly on the line between others."""
    far = int(np.argmax(((points - points[0]) ** 2).sum(axis=1)))
    if far == 0:
        return points[:1]
    closed = np.vstack((points, points[:1]))
    keep = np.zeros(len(closed), bool)
    keep[[0, far, len(closed) - 1]] = True
    open_spans = [(0, far), (far, len(closed) - 1)]
    while open_spans:
        first, last = open_spans.pop()
        if last - first < 2:  # noqa: PLR2004 - nothing in between
            continue
        line = closed[last] - closed[first]
        between = closed[first + 1 : last] - closed[first]
        length = float(np.hypot(*line))
        if length:
            away = np.abs(line[0] * between[:, 1] - line[1] * between[:, 0]) / length
        else:
            away = np.hypot(between[:, 0], between[:, 1])
        most = int(np.argmax(away))
        if away[most] > tolerance:
            middle = first + 1 + most
            keep[middle] = True
            open_spans += [(first, middle), (middle, last)]
    return closed[keep][:-1]
