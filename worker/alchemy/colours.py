"""Compares colours as people see them."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Numbers: TypeAlias = NDArray[np.int64]

_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
_DARK_LEVEL, _DARK = 0.04045, 0.008856
"""Below, both curves are straight lines (IEC 61966-2-1; CIE 15)."""
_WHITE = np.array([0.9505, 1.0, 1.089])


def lab(rgb: Floats) -> Floats:
    """Convert (n, 3) sRGB levels, 0 to 255, to CIELAB, in which distances are as they look."""
    level = rgb / 255
    linear = np.where(level > _DARK_LEVEL, ((level + 0.055) / 1.055) ** 2.4, level / 12.92)
    xyz = linear @ _TO_XYZ.T / _WHITE
    root = np.where(xyz > _DARK, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    x, y, z = root.T
    return np.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), axis=1)


def merged(palette: Floats, counts: Numbers, distance: float) -> Numbers:
    """Give for each colour the one that stands for it: the largest that looks nearly the same.

    palette: (n, 3) sRGB levels. counts: how often each is there. distance: in CIELAB; 2.3 can just
    be seen.
    """
    seen = lab(palette)
    stands = np.arange(len(palette))
    chosen: list[int] = []
    for index in np.argsort(-counts, kind="stable").tolist():
        near = [one for one in chosen if np.linalg.norm(seen[one] - seen[index]) < distance]
        if near:
            stands[index] = near[0]
        else:
            chosen.append(index)
    return stands
