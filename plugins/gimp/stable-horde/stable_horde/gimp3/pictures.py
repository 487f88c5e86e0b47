"""Reads pixels out of images, which stay as they are: everything happens in a copy of them.

A copy shares its pixels with the original until they are changed, so that of a large canvas no more
than the region is computed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from gi.repository import Gegl, Gimp

from stable_horde import png
from stable_horde.errors import Trouble
from stable_horde.regions import Box, Region
from stable_horde.words import _

GROWN = 4
"""Pixels of the sent picture that are redrawn around what was selected: workers soften a mask's
edge, and that must not be seen within the selection."""
GREY, ALPHA, COLOUR = "Y u8", "A u8", "R'G'B'A u8"
"""Layouts of pixels, as babl calls them."""
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
        # Merging layers changes the selection, so that waits in a channel, which is scaled, too.
        channel = Gimp.Selection.save(copy)
        merged = _cropped(copy, region.box)
        _scale(copy, region.content)
        seen = mask = None
        if with_selection:
            box = region.box
            size, at = (box.width, box.height), (box.x, box.y)
            seen = _bytes(image.get_selection(), size, GREY, at=at)
            copy.select_item(Gimp.ChannelOps.REPLACE, channel)
            Gimp.Selection.grow(copy, GROWN)
            chosen = _bytes(copy.get_selection(), region.sent, GREY)
            mask = png.encode(*region.sent, 1, chosen.translate(THRESHOLD))
        pixels = _bytes(merged, region.sent, COLOUR, Gegl.AbyssPolicy.CLAMP)
        return Source(encoded(region.sent, pixels), mask, seen)


def beyond(image: Gimp.Image, region: Region) -> Source:
    """What is seen of a region that exceeds the canvas; the mask has what is beyond.

    There the picture's edge goes on.
    """
    box, old = region.box, region.box.within(canvas(image))
    across, down = region.content[0] / box.width, region.content[1] / box.height
    size = (max(1, round(old.width * across)), max(1, round(old.height * down)))
    at = (round((old.x - box.x) * across), round((old.y - box.y) * down))
    with copied(image) as copy:
        merged = _cropped(copy, old)
        _scale(copy, size)
        pixels = _bytes(merged, region.sent, COLOUR, Gegl.AbyssPolicy.CLAMP, (-at[0], -at[1]))
    kept = Box(old.x - box.x, old.y - box.y, old.width, old.height)
    return Source(
        encoded(region.sent, pixels),
        png.encode(*region.sent, 1, _around(region.sent, Box(*at, *size))),
        _around((box.width, box.height), kept),
    )


def layer(drawable: Gimp.Layer, region: Region) -> Source:
    """A layer by itself, whatever else is visible; `seen` is its transparency, if it has any.

    region: in the layer's coordinates.
    """
    alone = Gimp.Image.new(drawable.get_width(), drawable.get_height(), Gimp.ImageBaseType.RGB)
    try:
        alone.undo_disable()
        copy = Gimp.Layer.new_from_drawable(drawable, alone)
        alone.insert_layer(copy, None, 0)
        if copy.get_mask() is not None:
            copy.remove_mask(Gimp.MaskApplyMode.DISCARD)
        copy.set_offsets(0, 0)
        copy.set_visible(True)
        copy.set_opacity(100)
        copy.set_mode(Gimp.LayerMode.NORMAL)
        merged = _cropped(alone, region.box)
        seen = None
        if drawable.has_alpha():
            seen = _bytes(merged, (region.box.width, region.box.height), ALPHA)
            seen = None if seen.count(255) == len(seen) else seen
        _scale(alone, region.content)
        pixels = _bytes(merged, region.sent, COLOUR, Gegl.AbyssPolicy.CLAMP)
        return Source(encoded(region.sent, pixels), None, seen)
    finally:
        alone.delete()


def without(image: Gimp.Image, result: Gimp.Layer, region: Region) -> Source:
    """What would be seen of a result's place if it, and those of its group, were not there.

    The mask is the result's own.
    """
    own = result.get_mask()
    with copied(image) as copy:
        twin = copy.get_layer_by_tattoo(result.get_tattoo())
        (twin.get_parent() or twin).set_visible(False)
        merged = _cropped(copy, region.box)
        _scale(copy, region.content)
        pixels = _bytes(merged, region.sent, COLOUR, Gegl.AbyssPolicy.CLAMP)
        seen = mask = None
        if own is not None:
            seen = _bytes(own, (region.box.width, region.box.height), GREY)
            mask = png.encode(*region.sent, 1, _scaled(seen, region).translate(THRESHOLD))
        return Source(encoded(region.sent, pixels), mask, seen)


def whole(drawable: Gimp.Drawable) -> Box:
    """All of a drawable, in its own coordinates."""
    return Box(0, 0, drawable.get_width(), drawable.get_height())


def placed(drawable: Gimp.Drawable) -> Box:
    """Where a drawable is on the canvas."""
    _found, x, y = drawable.get_offsets()
    return Box(x, y, drawable.get_width(), drawable.get_height())


def moved(region: Region, drawable: Gimp.Drawable) -> Region:
    """A region of a drawable, on the canvas."""
    at, box = placed(drawable), region.box
    return replace(region, box=Box(box.x + at.x, box.y + at.y, box.width, box.height))


def _cropped(copy: Gimp.Image, box: Box) -> Gimp.Layer:
    """Crop a copy and make it one layer of its size. Raises Trouble if nothing is visible."""
    Gimp.Selection.none(copy)
    if not any(each.get_visible() for each in copy.get_layers()):
        raise Trouble(_("No layer is visible here: there is nothing to start from."))
    copy.crop(box.width, box.height, box.x, box.y)
    if not any(each.get_visible() for each in copy.get_layers()):
        raise Trouble(_("Nothing visible is in this place: there is nothing to start from."))
    merged = copy.merge_visible_layers(Gimp.MergeType.CLIP_TO_IMAGE)
    merged.resize_to_image_size()
    return merged


def _scale(copy: Gimp.Image, size: tuple[int, int]) -> None:
    if size != (copy.get_width(), copy.get_height()):
        copy.scale(*size)


def _around(size: tuple[int, int], kept: Box) -> bytes:
    """A mask that has all but a box of it."""
    width, height = size
    row = b"\xff" * kept.x + bytes(kept.width) + b"\xff" * (width - kept.right)
    outside = b"\xff" * width
    return outside * kept.y + row[:width] * kept.height + outside * (height - kept.bottom)


def _scaled(mask: bytes, region: Region) -> bytes:
    """A mask of the region's box at the size that is sent: the nearest pixel of each."""
    width, height = region.box.width, region.box.height
    columns = [min(width - 1, x * width // region.content[0]) for x in range(region.sent[0])]
    lines = []
    for y in range(region.sent[1]):
        start = min(height - 1, y * height // region.content[1]) * width
        row = mask[start : start + width]
        lines.append(bytes([row[x] for x in columns]))
    return b"".join(lines)


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
    drawable: Gimp.Drawable,
    size: tuple[int, int],
    layout: str,
    beyond_it: Gegl.AbyssPolicy = Gegl.AbyssPolicy.NONE,
    at: tuple[int, int] = (0, 0),
) -> bytes:
    """Pixels of a drawable, also beyond it. Colours come as sRGB."""
    buffer = drawable.get_buffer()
    return bytes(buffer.get(Gegl.Rectangle.new(*at, *size), 1.0, layout, beyond_it))
