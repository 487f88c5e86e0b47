"""Reads pixels out of images, which stay as they are: everything happens in a copy of them.

A copy shares its pixels with the original until they are changed, so that of a large canvas no more
than the region is computed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gi.repository import Gegl, Gimp

from stable_horde import png
from stable_horde.errors import Trouble
from stable_horde.regions import Box, Region
from stable_horde.words import _

GROWN = 4
"""Pixels of the sent picture that are redrawn around what was selected: workers soften a mask's
edge, and that must not be seen within the selection."""
THRESHOLD = bytes([0, *[255] * 255])
"""Whatever is selected at all is redrawn; how much of it is seen is the layer mask's matter."""


@dataclass(frozen=True)
class Source:
    """What is sent.

    picture, mask: PNG. seen: how much each pixel of the region's box is selected, a byte each.
    """

    picture: bytes
    mask: bytes | None
    seen: bytes | None


def canvas(image: Gimp.Image) -> Box:
    """The canvas as a box."""
    return Box(0, 0, image.get_width(), image.get_height())


def selected(image: Gimp.Image) -> Box | None:
    """The box of what is selected on the canvas; None if nothing is."""
    _found, is_there, left, top, right, bottom = Gimp.Selection.bounds(image)
    if not is_there:
        return None
    return Box(left, top, right - left, bottom - top)


@contextmanager
def copied(image: Gimp.Image) -> Iterator[Gimp.Image]:
    """A copy of an image, in RGB, which is thrown away afterwards."""
    if image.get_floating_sel() is not None:
        raise Trouble(_("There is a floating selection: anchor it first, or make it a layer."))
    copy = image.duplicate()
    try:
        copy.undo_disable()
        if copy.get_base_type() == Gimp.ImageBaseType.INDEXED:
            copy.convert_rgb()
        yield copy
    finally:
        copy.delete()


def visible(image: Gimp.Image, region: Region, *, with_selection: bool) -> Source:
    """What is seen of a region, and what is selected there. Raises Trouble if nothing is seen."""
    with copied(image) as copy:
        return cut(copy, region, with_selection=with_selection)


def cut(copy: Gimp.Image, region: Region, *, with_selection: bool) -> Source:
    """What is seen of a region of a copy, which is used up by that."""
    box = region.box
    copy.crop(box.width, box.height, box.x, box.y)
    if not any(layer.get_visible() for layer in copy.get_layers()):
        raise Trouble(_("No layer is visible here: there is nothing to start from."))
    merged = copy.merge_visible_layers(Gimp.MergeType.CLIP_TO_IMAGE)
    merged.resize_to_image_size()
    seen = mask = None
    if with_selection:
        seen = _bytes(copy.get_selection(), (box.width, box.height), "Y u8", Gegl.AbyssPolicy.NONE)
    if region.content != (box.width, box.height):
        copy.scale(*region.content)
    if with_selection:
        Gimp.Selection.grow(copy, GROWN)
        chosen = _bytes(copy.get_selection(), region.sent, "Y u8", Gegl.AbyssPolicy.NONE)
        mask = png.encode(*region.sent, 1, chosen.translate(THRESHOLD))
    pixels = _bytes(merged, region.sent, "R'G'B'A u8", Gegl.AbyssPolicy.CLAMP)
    return Source(encoded(region.sent, pixels), mask, seen)


def encoded(size: tuple[int, int], pixels: bytes) -> bytes:
    """RGBA pixels as PNG; without alpha where all of them are opaque."""
    alpha = pixels[3::4]
    if alpha.count(255) < len(alpha):
        return png.encode(*size, 4, pixels)
    opaque = bytearray(len(alpha) * 3)
    for channel in range(3):
        opaque[channel::3] = pixels[channel::4]
    return png.encode(*size, 3, bytes(opaque))


def _bytes(
    drawable: Gimp.Drawable, size: tuple[int, int], layout: str, beyond: Gegl.AbyssPolicy
) -> bytes:
    """The pixels of a drawable's upper left part, which may exceed it. Colours come as sRGB."""
    buffer = drawable.get_buffer()
    return bytes(buffer.get(Gegl.Rectangle.new(0, 0, *size), 1.0, layout, beyond))
