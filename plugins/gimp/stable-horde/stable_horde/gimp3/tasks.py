"""What can be done with an image: each task reads what it needs of it and says what to ask for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gi.repository import Gimp

from stable_horde import regions
from stable_horde.errors import Trouble
from stable_horde.gimp3 import pictures
from stable_horde.places import Place
from stable_horde.settings import Settings
from stable_horde.wanted import Wanted
from stable_horde.words import _


@dataclass(frozen=True)
class Order:
    """What is to be asked for, and where the results go.

    body: the request's JSON. image: None: each result is an image of its own.
    """

    task: str
    wanted: Wanted
    body: dict[str, Any]
    place: Place
    image: Gimp.Image | None


@dataclass(frozen=True)
class Call:
    """What a procedure was called with."""

    image: Gimp.Image | None
    drawables: Sequence[Gimp.Drawable]
    wanted: Wanted
    options: dict[str, Any]
    settings: Settings

    @property
    def canvas(self) -> regions.Box:
        """The image's canvas. Raises Trouble where there is no image."""
        return pictures.canvas(self.opened)

    @property
    def opened(self) -> Gimp.Image:
        """The image. Raises Trouble where there is none, or none any more."""
        if self.image is None or not self.image.is_valid():
            raise Trouble(_("There is no image to work on: open one first."))
        return self.image


Task = Callable[[Call], Order]


def generate(call: Call) -> Order:
    """A new picture, as an image of its own or as a layer in the middle of the canvas."""
    wanted = call.wanted
    size = (call.options["width"], call.options["height"])
    if not call.options["as-layer"]:
        return Order("generate", wanted, wanted.body(*regions.size(*size)), Place(), None)
    canvas = call.canvas
    box = regions.Box((canvas.width - size[0]) // 2, (canvas.height - size[1]) // 2, *size)
    sent = regions.size(*size)
    place = Place(regions.Region(box, (min(size[0], sent[0]), min(size[1], sent[1])), sent))
    return Order("generate", wanted, wanted.body(*sent), place, call.opened)


def fill(call: Call) -> Order:
    """What is selected, painted anew to fit what surrounds it."""
    image = call.opened
    chosen = pictures.selected(image)
    if chosen is None:
        raise Trouble(_("Nothing is selected: select what is to be filled first."))
    region = regions.around(
        chosen,
        call.canvas,
        context=call.options["context"] or None,
        max_pixels=call.settings.max_pixels,
    )
    source = pictures.visible(image, region, with_selection=True)
    body = call.wanted.redrawing(region.sent, source.picture, source.mask, "inpainting")
    return Order("fill", call.wanted, body, Place(region, source.seen), image)
