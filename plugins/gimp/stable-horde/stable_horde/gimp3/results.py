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
    if place.above and Gimp.Item.id_is_valid(place.above):
        below = Gimp.Item.get_by_id(place.above)
        if below.get_image().get_id() == image.get_id():
            return below.get_parent(), image.get_item_position(below)
    return None, 0


def _layer(image: Gimp.Image, place: Place, picture: Picture) -> Gimp.Layer:
    """A picture as a layer that is not yet in the image: to scale, in the image's colours."""
    with opened(picture.content) as made:
        if len(made.get_layers()) > 1:
            made.merge_visible_layers(Gimp.MergeType.CLIP_TO_IMAGE)
        if place.region is not None:
            _fit(made, place.region)
        layer = Gimp.Layer.new_from_drawable(made.get_layers()[0], image)
    layer.set_name(" · ".join(part for part in (picture.seed, picture.model) if part) or "result")
    return layer


def _fit(made: Gimp.Image, region: Region) -> None:
    """Cut off what continued the edge, and scale what is left to the region's box."""
    width, height = made.get_width(), made.get_height()
    kept = tuple(
        max(1, round(length * content / sent))
        for length, content, sent in zip((width, height), region.content, region.sent, strict=True)
    )
    if kept != (width, height):
        made.crop(*kept, 0, 0)
    if kept != (region.box.width, region.box.height):
        made.scale(region.box.width, region.box.height)


def _settle(layer: Gimp.Layer, place: Place) -> None:
    """Move a layer of the image to its place, and show of it what was selected."""
    if place.region is None:
        return
    box, canvas = place.region.box, place.canvas
    layer.set_offsets(box.x - (canvas.x if canvas else 0), box.y - (canvas.y if canvas else 0))
    if place.mask is not None:
        mask = layer.create_mask(Gimp.AddMaskType.BLACK)
        layer.add_mask(mask)
        buffer = mask.get_buffer()
        buffer.set(Gegl.Rectangle.new(0, 0, box.width, box.height), "Y u8", place.mask)
        buffer.flush()
        mask.update(0, 0, box.width, box.height)


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


def _shortened(prompt: str) -> str:
    words = " ".join(prompt.split())
    return words if len(words) <= MAX_NAME_CHARS else words[: MAX_NAME_CHARS - 1] + "…"


def as_images(pictures: Sequence[Picture], wanted: Wanted, task: str) -> list[Gimp.Image]:
    """Each finished picture as an image of its own."""
    images = []
    for picture in pictures:
        image = _read(picture.content)
        layer = image.get_layers()[0]
        layer.set_name(" · ".join(part for part in (picture.seed, picture.model) if part))
        layer.attach_parasite(_stored(wanted, task, Place(), picture))
        image.undo_enable()
        image.clean_all()
        images.append(image)
    return images
