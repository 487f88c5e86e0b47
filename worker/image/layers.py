"""Pictures in layers: a place, and things that were drawn by themselves and cut out.

A model that cannot compose draws each of them as well as it can, from noise; what is done here is
to cut out, to enlarge and to put together. In the engine process only: enlarging uses torch.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from scipy import ndimage  # type: ignore[import-untyped]

from core.vocabulary import Reading
from worker import background
from worker.image import arrangement, layering, scene
from worker.image.arrangement import Placed, Shape
from worker.image.grammar import PLAIN
from worker.image.layering import Table
from worker.image.order import PictureOrder
from worker.image.scene import Scene, Thing
from worker.image.sizes import Size
from worker.renderer import CannotRender

ENLARGED: Final = 1.5
"""From this factor on, a network enlarges a layer."""
DISTINCT: Final = 3
"""Of several of one thing, so many are drawn apart; more are these again, turned round."""
SOLID: Final = 250
SEEN: Final = 40
"""How opaque a thing is at least inside its edge, and where it ends."""
ICON: Final = 0.86
"""Of a picture, what a thing takes that is alone in it."""
SHADOW: Final = 0.3
"""How dark a shadow is."""
MAX_TOLD: Final = 200
NO_GROUND: Final = "gray"
"""The ground of things that are to have none: white ones are lost on white, and colours show."""
EDGE: Final = 3
"""Pixels over which an edge is smoothed that goes on beyond the picture."""

Enlarge = Callable[[Image.Image], Image.Image]


@dataclass(frozen=True)
class Layer:
    """What is drawn by itself. thing: its index in the scene; None: the place."""

    prompt: str
    thing: int | None


@dataclass(frozen=True)
class Plan:
    """How a prompt is drawn in layers: all of them, in the order in which they are drawn."""

    scene: Scene
    table: Table
    layers: tuple[Layer, ...]

    @property
    def notes(self) -> list[str]:
        """What somebody who gets the picture should know."""
        drawn = "; ".join(dict.fromkeys(layer.prompt for layer in self.layers))[:MAX_TOLD]
        if self.is_whole:
            return [f"draws {drawn} alone"]
        return [f"drawn in {len(self.layers)} layers, put together: {drawn}"]

    @property
    def is_whole(self) -> bool:
        """Whether there is one layer, which is the picture."""
        return len(self.layers) == 1

    def picture(self, drawn: Sequence[Image.Image], wanted: Size, enlarge: Enlarge) -> Image.Image:
        """Put a picture together. drawn: RGB, one for each layer."""
        side = min(wanted.width, wanted.height)
        cuts: dict[int, list[Cut]] = {}
        ground: Image.Image | None = None
        for layer, image in zip(self.layers, drawn, strict=True):
            if layer.thing is None:
                ground = image
            else:
                cuts.setdefault(layer.thing, []).append(cut_out(image))
                ground = ground or background.plain(image)
        shapes = [cuts[index][0].shape for index in range(len(cuts))]
        placed = arrangement.arranged(
            self.scene,
            self.table,
            shapes,
            width=wanted.width / side,
            height=wanted.height / side,
        )
        assert ground is not None  # noqa: S101 - there is a thing, at least
        page = _grown(extended(ground, wanted), (wanted.width, wanted.height), enlarge)
        for one in placed:
            of = cuts[one.thing]
            _put(page, of[one.number % len(of)].image, one, side, enlarge)
        return page


@dataclass(frozen=True)
class Drawn:
    """The layers of one picture as they were drawn, RGB, in the order of its plan."""

    plan: Plan
    images: Sequence[Image.Image]

    def picture(self, wanted: Size, enlarge: Enlarge) -> Image.Image:
        """Put them together. enlarge: makes a small picture a larger one."""
        return self.plan.picture(self.images, wanted, enlarge)


def plan(order: PictureOrder, reading: Reading) -> Plan | None:
    """How an order is drawn in layers; None: as a whole, as most are."""
    file = order.checkpoint.layers
    is_free = order.source is None and order.control is None and not order.references
    is_usual = not (order.tiling or order.transparent or order.adaptations or order.words)
    if file is None or order.exact or not (is_free and is_usual):
        return None
    table = layering.of(file)
    found = scene.read(reading, table)
    return None if found is None else Plan(found, table, tuple(_layers(found, table)))


def _layers(found: Scene, table: Table) -> list[Layer]:
    made = [] if found.place is None else [Layer(f"{found.prompt}{found.style}", None)]
    for index, thing in enumerate(found.things):
        made += [Layer(_said(thing, found, table), index)] * min(thing.count, DISTINCT)
    return made


def _said(thing: Thing, found: Scene, table: Table) -> str:
    """The prompt for a thing by itself."""
    if thing.count == len(found.things) == 1 and found.place is None and found.ground == PLAIN:
        return f"{scene.with_article(thing.text)}{found.style}"
    ground = found.ground
    if found.place is not None:
        ground = table.paint(thing.name, found.place, thing.colours)
    return (
        f"{scene.with_article(thing.text)} on {scene.with_article(ground)} background{found.style}"
    )


@dataclass(frozen=True)
class Cut:
    """A thing without its ground: RGBA, cropped, and how it was in its picture."""

    image: Image.Image
    shape: Shape


def cut_out(image: Image.Image) -> Cut:
    """Cut a thing out of its plain ground; beyond its edge its colours go on."""
    try:
        cut = background.removed(image.convert("RGBA"))
    except CannotRender:
        cut = image.convert("RGBA")
    pixels = np.asarray(cut).copy()
    solid = pixels[..., 3] >= SOLID
    if solid.any():
        rows, columns = ndimage.distance_transform_edt(
            ~solid, return_distances=False, return_indices=True
        )
        pixels[..., :3] = pixels[rows, columns, :3]
    cut = Image.fromarray(pixels)
    alpha = cut.getchannel("A")
    box = alpha.point(lambda level: 255 * (level > SEEN)).getbbox() or (0, 0, *cut.size)
    left, top, right, bottom = box
    side = ICON * image.height
    lower = image.height - (image.height - side) / 2
    aside = (left + right - image.width) / 2
    shape = Shape(
        *((right - left) / side, (bottom - top) / side, (lower - bottom) / side, aside / side)
    )
    return Cut(cut.crop(box), shape)


def _put(page: Image.Image, cut: Image.Image, one: Placed, side: int, enlarge: Enlarge) -> None:
    width, height = max(1, round(one.width * side)), max(1, round(one.height * side))
    left, top = round(one.x * side) - width // 2, round(one.bottom * side) - height
    if one.stands:
        _shade(page, left, top + height, width)
    if one.number >= DISTINCT:
        cut = cut.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    grown = _grown(cut, (width, height), enlarge)
    page.paste(grown.convert("RGB"), (left, top), grown.getchannel("A"))


def _grown(image: Image.Image, size: tuple[int, int], enlarge: Enlarge) -> Image.Image:
    if max(size[0] / image.width, size[1] / image.height) >= ENLARGED:
        image = enlarge(image)
    return image.resize(size, Image.Resampling.LANCZOS)


def _shade(page: Image.Image, left: int, bottom: int, width: int) -> None:
    """Darken the ground softly below a thing."""
    high = max(2, width // 7)
    mask = Image.new("L", page.size, 0)
    box = (left + width // 10, bottom - high // 2, left + width - width // 10, bottom + high // 2)
    ImageDraw.Draw(mask).ellipse(box, fill=round(255 * SHADOW))
    page.paste("black", mask=mask.filter(ImageFilter.GaussianBlur(max(1, high / 4))))


def extended(image: Image.Image, shape: Size) -> Image.Image:
    """Continue an RGB picture's ground on two sides, as far as the shape needs it.

    Each edge goes on as it is, smoothed: there is no detail in what continues.
    """
    wide = max(image.width, round(image.height * shape.width / shape.height))
    high = max(image.height, round(image.width * shape.height / shape.width))
    left, top = (wide - image.width) // 2, (high - image.height) // 2
    around = ((top, high - image.height - top), (left, wide - image.width - left), (0, 0))
    continued = np.pad(np.asarray(image.filter(ImageFilter.BoxBlur(EDGE))), around, mode="edge")
    continued[top : top + image.height, left : left + image.width] = np.asarray(image)
    return Image.fromarray(continued)
