"""Where the results of a request go on a canvas; kept until they are there."""

import base64
import dataclasses
import zlib
from dataclasses import dataclass
from typing import Any, Final, Self

from stable_horde.errors import Trouble
from stable_horde.regions import Box, Region
from stable_horde.words import _

MAX_MASK_BYTES: Final = 2**30
MAX_COORDINATE: Final = 2**20


@dataclass(frozen=True)
class Place:
    """Where results go.

    region: what was sent; None: each result is an image of its own, or a layer as it is.
    mask: a byte for each pixel of the region's box, how much of the result is seen; None: all.
    canvas: the box that the canvas must have first, in coordinates of the present one; None: as
        it is. above: the id of the layer above which results go; 0: on top.
    """

    region: Region | None = None
    mask: bytes | None = None
    canvas: Box | None = None
    above: int = 0

    def stored(self) -> dict[str, Any]:
        """The same as JSON."""
        mask = self.mask
        return {
            "region": None if self.region is None else dataclasses.asdict(self.region),
            "mask": None if mask is None else base64.b85encode(zlib.compress(mask, 6)).decode(),
            "canvas": None if self.canvas is None else dataclasses.asdict(self.canvas),
            "above": self.above,
        }

    @classmethod
    def of_stored(cls, said: dict[str, Any]) -> Self:
        """Read it. Raises Trouble."""
        try:
            region, canvas = said["region"], said["canvas"]
            read = None if region is None else _region(region)
            return cls(
                region=read,
                mask=None
                if said["mask"] is None or read is None
                else _mask(said["mask"], read.box),
                canvas=None if canvas is None else _box(canvas),
                above=_whole(said["above"], 0),
            )
        except (KeyError, TypeError, ValueError, zlib.error):
            raise Trouble(_("What is stored here cannot be read.")) from None


def _region(said: dict[str, Any]) -> Region:
    (content_width, content_height), (width, height) = said["content"], said["sent"]
    return Region(
        _box(said["box"]),
        (_whole(content_width, 1), _whole(content_height, 1)),
        (_whole(width, 1), _whole(height, 1)),
    )


def _box(said: dict[str, Any]) -> Box:
    return Box(
        _whole(said["x"], -MAX_COORDINATE),
        _whole(said["y"], -MAX_COORDINATE),
        _whole(said["width"], 1),
        _whole(said["height"], 1),
    )


def _mask(text: str, box: Box) -> bytes:
    size = box.width * box.height
    if size > MAX_MASK_BYTES:
        raise ValueError("larger than any canvas")
    mask = zlib.decompressobj().decompress(base64.b85decode(text), size + 1)
    if len(mask) != size:
        raise ValueError("not of the box's size")
    return mask


def _whole(value: object, least: int) -> int:
    if (
        isinstance(value, bool)
        or not isinstance(value, int)
        or not least <= value <= MAX_COORDINATE
    ):
        raise ValueError("not a number of pixels")
    return value
