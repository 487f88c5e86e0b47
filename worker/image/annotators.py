"""Draws the maps of control types by arithmetic with pixels. In the engine process only.

Maps are white on black, as ControlNets were trained with. Only Canny's edges are what the networks
were trained on to the pixel; the others are drawn in their manner, and the metadata says so.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from PIL import Image
from scipy import ndimage  # type: ignore[import-untyped]

Values = np.ndarray[Any, np.dtype[Any]]
"""Numbers from 0 to 1, or truths, for each pixel."""

LOW, HIGH = 100 / 255, 200 / 255
"""Canny's thresholds, as the ControlNet's training had them, of gradients by Sobel's kernels."""
SOFT: Final = (1.0, 2.0, 4.0)
"""Scales of soft edges in pixels: fine ones and those of large things."""
FAINT: Final = 0.1
"""Of gradients: what is less is texture, not an edge."""
TURN: Final = 360
ANGLE: Final = 2 * np.pi / TURN
SPREAD: Final = 2
"""Lines are told apart by degrees; an edge votes for those within so many of its own."""
MAX_LINES: Final = 150
MIN_LENGTH: Final = 1 / 16
MAX_GAP: Final = 1 / 64
"""Of a line, as shares of the picture's longer side."""

NOT_A_NETWORK: Final[Mapping[str, str]] = {
    "hed": "hed: soft edges by gradients, not by a network",
    "scribble": "scribble: lines along gradients, not by a network",
    "fakescribbles": "fakescribbles: lines along gradients, not by a network",
    "hough": "hough: straight lines by Hough's transform, not by a network",
}
"""What the requester should know about a map."""


def annotated(image: Image.Image, control_type: str) -> Image.Image:
    """Draw the map of an RGB picture, of the same size."""
    grey = np.asarray(image.convert("L"), dtype=np.float32) / 255
    drawn = ANNOTATORS[control_type](grey)
    return Image.fromarray((np.clip(drawn, 0, 1) * 255).round().astype(np.uint8)).convert("RGB")


def canny(grey: Values) -> Values:
    """Edges by Canny's method (doi:10.1109/TPAMI.1986.4767851)."""
    along_y, along_x = _gradient(grey)
    strength = np.abs(along_x) + np.abs(along_y)
    edge = _thinned(strength, along_x, along_y)
    weak = edge & (strength >= LOW)
    strong = edge & (strength >= HIGH)
    regions, _ = ndimage.label(weak, structure=np.ones((3, 3)))
    kept: Values = np.isin(regions, np.unique(regions[strong])) & (regions > 0)
    return kept.astype(np.float32)


def soft_edges(grey: Values) -> Values:
    """Gradients at several scales, each relative to the strongest."""
    at_scales = [scale * ndimage.gaussian_gradient_magnitude(grey, scale) for scale in SOFT]
    together = np.mean(at_scales, axis=0)
    strongest = np.percentile(together, 99.5)
    return np.sqrt(together / strongest) if strongest > 1 / 255 else np.zeros_like(grey)


def scribble(grey: Values) -> Values:
    """The edges of things as thick lines."""
    return _strokes(grey, smoothed=1.5, thickness=1)


def fake_scribbles(grey: Values) -> Values:
    """The edges of large things alone, as a hand would draw them."""
    return _strokes(grey, smoothed=3.0, thickness=2)


def straight_lines(grey: Values) -> Values:
    """The straight lines among Canny's edges, strongest first.

    By Hough's transform, to which each edge votes for lines along itself only
    (doi:10.1016/0031-3203(81)90009-1).
    """
    along_y, along_x = _gradient(grey)
    rows, columns = np.nonzero(canny(grey))
    normals = np.arctan2(along_y[rows, columns], along_x[rows, columns])
    longer = max(grey.shape)
    angles = (
        np.round(normals[:, None] / ANGLE).astype(int) + np.arange(-SPREAD, SPREAD + 1)
    ) % TURN
    distances = _distances(rows[:, None], columns[:, None], angles, longer)
    lines = distances * TURN + angles
    votes = np.bincount(lines.ravel(), minlength=4 * longer * TURN)
    left = np.ones(len(rows), dtype=bool)
    drawn = np.zeros_like(grey)
    for _ in range(MAX_LINES):
        best = int(np.argmax(votes))
        if votes[best] < longer * MIN_LENGTH:
            break
        distance, angle = divmod(best, TURN)
        near = np.abs(_distances(rows, columns, angle, longer) - distance) <= 1
        on_line = np.nonzero(left & near & (angles == angle).any(axis=1))[0]
        _draw_segments(drawn, rows[on_line], columns[on_line], angle * ANGLE, longer)
        left[on_line] = False
        votes -= np.bincount(lines[on_line].ravel(), minlength=len(votes))
        votes[best] = 0
    return drawn


def _distances(rows: Any, columns: Any, angle: Any, longer: int) -> Any:  # noqa: ANN401 - arrays of numbers
    """How far lines through points are from the corner, as numbers from 0."""
    far = columns * np.cos(angle * ANGLE) + rows * np.sin(angle * ANGLE)
    return np.round(far).astype(int) + 2 * longer


def _draw_segments(drawn: Values, rows: Any, columns: Any, angle: float, longer: int) -> None:  # noqa: ANN401 - arrays of numbers
    """Draw the stretches of a line that have no gap in them."""
    along = columns * -np.sin(angle) + rows * np.cos(angle)
    order = np.argsort(along)
    gaps = np.nonzero(np.diff(along[order]) > longer * MAX_GAP + 2)[0] + 1
    for part in np.split(order, gaps):
        if not len(part) or along[part[-1]] - along[part[0]] < longer * MIN_LENGTH:
            continue
        points = int(np.ceil(along[part[-1]] - along[part[0]])) + 1
        line_y = np.linspace(rows[part[0]], rows[part[-1]], points).round().astype(int)
        line_x = np.linspace(columns[part[0]], columns[part[-1]], points).round().astype(int)
        drawn[line_y, line_x] = 1


def _strokes(grey: Values, *, smoothed: float, thickness: int) -> Values:
    """Edges that are long enough, in lines. smoothed: over so many pixels, before."""
    along_y, along_x = _gradient(ndimage.gaussian_filter(grey, smoothed))
    strength = np.hypot(along_x, along_y)
    edge = _thinned(strength, along_x, along_y) & (strength > FAINT)
    lines: Values = ndimage.binary_dilation(_without_specks(edge), iterations=thickness)
    return lines.astype(np.float32)


def _gradient(grey: Values) -> tuple[Values, Values]:
    down, right = (ndimage.sobel(grey, axis=axis, mode="nearest") for axis in (0, 1))
    return down, right


def _thinned(strength: Values, along_x: Values, along_y: Values) -> Values:
    """Where a gradient is the strongest of its neighbours in its own direction."""
    sector = (np.round(np.arctan2(along_y, along_x) / (np.pi / 4)) % 4).astype(int)
    padded = np.pad(strength, 1)
    height, width = strength.shape
    is_edge = np.zeros(strength.shape, dtype=bool)
    for number, (down, right) in enumerate(((0, 1), (1, 1), (1, 0), (1, -1))):
        ahead = padded[1 + down : 1 + down + height, 1 + right : 1 + right + width]
        behind = padded[1 - down : 1 - down + height, 1 - right : 1 - right + width]
        is_edge |= (sector == number) & (strength > behind) & (strength >= ahead)
    return is_edge


def _without_specks(lines: Values) -> Values:
    """Take away what is shorter than a stroke."""
    regions, count = ndimage.label(lines, structure=np.ones((3, 3)))
    sizes = ndimage.sum_labels(lines, regions, np.arange(count + 1))
    kept: Values = sizes[regions] >= max(8, max(lines.shape) / 32)
    return kept


ANNOTATORS: Final[Mapping[str, Callable[[Values], Values]]] = {
    "canny": canny,
    "hed": soft_edges,
    "scribble": scribble,
    "fakescribbles": fake_scribbles,
    "hough": straight_lines,
}
