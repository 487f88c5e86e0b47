"""Answers forms. In the engine process only: enlarging uses torch."""

from collections.abc import Callable, Mapping
from typing import Final

from PIL import Image
from pydantic import JsonValue

from worker import pictures
from worker.alchemy.order import Answered, Description, FormOrder
from worker.renderer import CannotRender, Model, OnStep, Picture
from worker.upscaler import Upscaler
from worker.upscaling import Networks

MAX_COLOURS: Final = 8
TRIAL: Final = (16, 16)
LOOKED_AT: Final = (256, 256)
"""Pixels: a palette is a matter of areas, which a small copy has too."""


class Alchemist:
    """Answers forms: lists colours, and enlarges."""

    def __init__(self, *, networks: Networks) -> None:
        self._networks = networks
        self._proven: set[Model] = set()

    def load(self, model: Model) -> None:
        """Have a network ready and see it enlarge, where one is needed. Raises CannotLoad."""
        if isinstance(model, Upscaler):
            self._networks.load(model)
            if model not in self._proven:
                self._networks.enlarge(model, Image.new("RGB", TRIAL, "red"))
                self._proven.add(model)

    def render(self, order: FormOrder, on_step: OnStep) -> Answered:
        """Answer a form. Raises CannotRender."""
        image = pictures.on_white(pictures.read(order.picture, kind="source_image"))
        if isinstance(order.form, Description) and order.form.name in ANSWERS:
            return Answered(ANSWERS[order.form.name](image))
        if isinstance(order.form, Upscaler):
            large = self._networks.enlarge(order.form, image, on_step)
            return Answered(Picture(large.width, large.height, large.tobytes()))
        raise CannotRender(f"nobody here answers {order.form.name}")


def palette(image: Image.Image) -> JsonValue:
    """Return a picture's main colours, the largest first: `{"colour": "#rrggbb", "share": 0.41}`.

    Median cut (Heckbert 1982), as Pillow has it; share: 0 to 1 of the picture.
    """
    small = image.copy()
    small.thumbnail(LOOKED_AT)
    indexed = small.quantize(MAX_COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    colours = indexed.getpalette() or []
    counted = sorted(indexed.getcolors() or [], reverse=True)
    return [
        {
            "colour": "#" + bytes(colours[3 * index : 3 * index + 3]).hex(),
            "share": round(count / (small.width * small.height), 4),
        }
        for count, index in counted
        if isinstance(index, int)
    ]


ANSWERS: Final[Mapping[str, Callable[[Image.Image], JsonValue]]] = {"palette": palette}
"""The functions that answer forms; `core.features` says which forms this worker serves."""
