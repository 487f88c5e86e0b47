"""Puts finished pictures into images: in place and to scale, as one step of undo."""

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gi.repository import Gegl, Gimp, Gio

from stable_horde import wire
from stable_horde.errand import Picture
from stable_horde.errors import NotMade
from stable_horde.places import Place
from stable_horde.regions import Region
from stable_horde.wanted import Wanted
from stable_horde.words import _

PARASITE = "stable-horde-parameters"
MAX_NAME_CHARS = 60


@contextmanager
def opened(picture: bytes) -> Iterator[Gimp.Image]:
    """A finished picture as an image of its own, which is thrown away afterwards."""
    image = _read(picture)
    try:
        yield image
    finally:
        image.delete()


def _read(picture: bytes) -> Gimp.Image:
    handle, path = tempfile.mkstemp(prefix="stable-horde-", suffix=f".{wire.form(picture)}")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(picture)
        image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path(path))
    finally:
        Path(path).unlink()
    if image is None:
        raise NotMade(_("GIMP cannot open the picture that the horde sent."))
    image.undo_disable()
    return image


def put(
    image: Gimp.Image, place: Place, pictures: Sequence[Picture], wanted: Wanted, task: str
) -> list[Gimp.Layer]:
    """Add finished pictures to an image, several as a group of which the first is seen."""
    image.undo_group_start()
    try:
        if place.canvas is not None:
            grown = place.canvas
            image.resize(grown.width, grown.height, -grown.x, -grown.y)
        parent, position = _spot(image, place)
        if len(pictures) > 1:
            group = Gimp.GroupLayer.new(image, _shortened(wanted.prompt))
            image.insert_layer(group, parent, position)
            parent, position = group, 0
        layers = []
        for number, picture in enumerate(pictures):
            layer = _layer(image, place, picture)
            layer.set_visible(number == 0)
            layer.attach_parasite(_stored(wanted, task, place, picture))
            image.insert_layer(layer, parent, position + number)
            _settle(layer, place)
            layers.append(layer)
        image.set_selected_layers(layers[:1])
    finally:
        image.undo_group_end()
    Gimp.displays_flush()
    return layers


def _spot(image: Gimp.Image, place: Place) -> tuple[Gimp.Layer | None, int]:
    """Where in the stack: above a layer that is still there, else on top."""
    below = found(image, place.above)
    return (below.get_parent(), image.get_item_position(below)) if below else (None, 0)


def _layer(image: Gimp.Image, place: Place, picture: Picture) -> Gimp.Layer:
    """A picture as a layer that is not yet in the image: to scale, in the image's colours."""
    with opened(picture.content) as made:
        if len(made.get_layers()) > 1:
            made.merge_visible_layers(Gimp.MergeType.CLIP_TO_IMAGE)
        if place.region is not None:
            _fit(made, place.region)
        _adopt_colours(made, image)
        layer = Gimp.Layer.new_from_drawable(made.get_layers()[0], image)
    layer.set_name(_named(picture))
    return layer


def _adopt_colours(made: Gimp.Image, image: Gimp.Image) -> None:
    """Bring a picture into an image's own profile, if it has one.

    GIMP 3.0.4 makes noise of a WebP's layer where copying it has to convert the profile, too.
    """
    profile = image.get_color_profile()
    if profile is None or image.get_base_type() != Gimp.ImageBaseType.RGB:
        return
    if made.get_precision() != image.get_precision():
        made.convert_precision(image.get_precision())
    made.convert_color_profile(profile, Gimp.ColorRenderingIntent.RELATIVE_COLORIMETRIC, True)


def _trim(made: Gimp.Image, region: Region) -> None:
    """Cut off what continued the edge."""
    width, height = made.get_width(), made.get_height()
    kept = tuple(
        max(1, round(length * content / sent))
        for length, content, sent in zip((width, height), region.content, region.sent, strict=True)
    )
    if kept != (width, height):
        made.crop(*kept, 0, 0)


def _fit(made: Gimp.Image, region: Region) -> None:
    """Cut off what continued the edge, and scale what is left to the region's box."""
    _trim(made, region)
    if (made.get_width(), made.get_height()) != (region.box.width, region.box.height):
        made.scale(region.box.width, region.box.height)


def _settle(layer: Gimp.Layer, place: Place) -> None:
    """Move a layer of the image to its place, and show of it what was selected."""
    if place.region is None:
        return
    box, canvas = place.region.box, place.canvas
    layer.set_offsets(box.x - (canvas.x if canvas else 0), box.y - (canvas.y if canvas else 0))
    if place.mask is not None:
        _add_mask(layer, place.mask)


def _add_mask(layer: Gimp.Layer, shown: bytes) -> None:
    width, height = layer.get_width(), layer.get_height()
    mask = layer.create_mask(Gimp.AddMaskType.BLACK)
    layer.add_mask(mask)
    buffer = mask.get_buffer()
    buffer.set(Gegl.Rectangle.new(0, 0, width, height), "Y u8", shown)
    buffer.flush()
    mask.update(0, 0, width, height)
    layer.set_edit_mask(False)  # what is painted next is meant for the picture


def found(image: Gimp.Image | None, layer_id: int) -> Gimp.Layer | None:
    """A layer of an image by its id, if both are still there."""
    if image is None or not image.is_valid() or not layer_id:
        return None
    if not Gimp.Item.id_is_valid(layer_id):
        return None
    item = Gimp.Item.get_by_id(layer_id)
    is_ours = isinstance(item, Gimp.Layer) and item.get_image().get_id() == image.get_id()
    return item if is_ours else None


def mask_by(layer: Gimp.Layer, picture: Picture) -> None:
    """Mask a layer by a picture's transparency, as one step of undo."""
    image = layer.get_image()
    with opened(picture.content) as made:
        made.scale(layer.get_width(), layer.get_height())
        whole = Gegl.Rectangle.new(0, 0, layer.get_width(), layer.get_height())
        buffer = made.get_layers()[0].get_buffer()
        shown = bytes(buffer.get(whole, 1.0, "A u8", Gegl.AbyssPolicy.NONE))
    image.undo_group_start()
    try:
        _add_mask(layer, shown)
    finally:
        image.undo_group_end()
    Gimp.displays_flush()


def _stored(wanted: Wanted, task: str, place: Place, picture: Picture) -> Gimp.Parasite:
    said = {
        "task": task,
        "wanted": {**wanted.stored(), "seed": picture.seed, "n": 1},
        "model": picture.model,
        "worker": picture.worker,
        "place": {**place.stored(), "mask": None},
    }
    flags = Gimp.PARASITE_PERSISTENT | Gimp.PARASITE_UNDOABLE
    return Gimp.Parasite.new(PARASITE, flags, json.dumps(said).encode())


def _named(picture: Picture) -> str:
    return " · ".join(part for part in (picture.seed, picture.model) if part) or _("Result")


def _shortened(prompt: str) -> str:
    words = " ".join(prompt.split())
    return words if len(words) <= MAX_NAME_CHARS else words[: MAX_NAME_CHARS - 1] + "…"


def as_images(
    place: Place, pictures: Sequence[Picture], wanted: Wanted, task: str
) -> list[Gimp.Image]:
    """Each finished picture as an image of its own, as large as it came."""
    images = []
    for picture in pictures:
        image = _read(picture.content)
        if place.region is not None:
            _trim(image, place.region)
        layer = image.get_layers()[0]
        layer.set_name(_named(picture))
        layer.attach_parasite(_stored(wanted, task, place, picture))
        image.undo_enable()
        image.clean_all()
        images.append(image)
    return images
