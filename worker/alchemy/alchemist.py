"""Answers forms. In the engine process only: enlarging uses torch."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image
from pydantic import JsonValue

from worker import background, pictures
from worker.alchemy.colours import merged
from worker.alchemy.order import Answered, Description, FormOrder
from worker.alchemy.tracing import traced
from worker.post_processing import BackgroundRemover
from worker.renderer import CannotRender, Model, OnStep
from worker.upscaler import Upscaler
from worker.upscaling import Networks
from worker.vision import VisionModel

if TYPE_CHECKING:
    from worker.seeing import Vision

MAX_COLOURS: Final = 8
CUT_COLOURS: Final = 24
ALIKE: Final = 8.0
"""In CIELAB: below, nobody would call it another colour."""
TRIAL: Final = (16, 16)
LOOKED_AT: Final = (256, 256)
"""Pixels: a palette is a matter of areas, which a small copy has too."""


class Alchemist:
    """Answers forms: about colours and shapes, without backgrounds, larger, or in words.

    vision: gives the networks for words; late, as they come with libraries of their own.
    """

    def __init__(self, *, networks: Networks, vision: Callable[[], "Vision"]) -> None:
        self._networks = networks
        self._vision = vision
        self._proven: set[Model] = set()

    def load(self, model: Model) -> None:
        """Have a network ready and see it work, where one is needed. Raises CannotLoad."""
        if isinstance(model, VisionModel):
            self._vision().load(model)
        elif isinstance(model, Upscaler):
            self._networks.load(model)
            if model not in self._proven:
                self._networks.enlarge(model, Image.new("RGB", TRIAL, "red"))
                self._proven.add(model)

    def render(self, order: FormOrder, on_step: OnStep) -> Answered:
        """Answer a form. Raises CannotRender."""
        source = pictures.read(order.picture, kind="source_image")
        if isinstance(order.form, Description) and order.form.name in ANSWERS:
            return Answered(ANSWERS[order.form.name](source))
        if isinstance(order.form, BackgroundRemover):
            return Answered(pictures.picture_of(background.removed(source)))
        image = pictures.on_white(source)
        if isinstance(order.form, VisionModel):
            return Answered(self._vision().answer(order.form, image))
        if isinstance(order.form, Upscaler):
            large = self._networks.enlarge(order.form, image, on_step)
            return Answered(pictures.picture_of(large), order.form.note)
        raise CannotRender(f"nobody here answers {order.form.name}")


def palette(source: Image.Image) -> JsonValue:
    """Return a picture's main colours, the largest first: `{"colour": "#rrggbb", "share": 0.41}`.

    Median cut (Heckbert 1982), as Pillow has it, of which those that look alike are put together;
    share: 0 to 1 of the picture.
    """
    small = pictures.on_white(source)
    small.thumbnail(LOOKED_AT)
    indexed = small.quantize(CUT_COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    colours = np.frombuffer(bytes(indexed.getpalette() or ()), np.uint8).reshape(-1, 3)
    counts = np.bincount(np.asarray(indexed).ravel(), minlength=len(colours))
    stands = merged(colours.astype(np.float64), counts, ALIKE)
    together = np.bincount(stands, weights=counts, minlength=len(colours))
    largest = np.argsort(-together, kind="stable")[:MAX_COLOURS]
    return [
        {
            "colour": "#" + colours[index].tobytes().hex(),
            "share": round(float(together[index]) / counts.sum(), 4),
        }
        for index in largest
        if together[index]
    ]


def vectorize(source: Image.Image) -> JsonValue:
    """Return a picture as SVG. Raises CannotRender."""
    return traced(pictures.on_white(source))


ANSWERS: Final[Mapping[str, Callable[[Image.Image], JsonValue]]] = {
    "palette": palette,
    "vectorize": vectorize,
}
"""The functions that answer forms without weights, from the picture in RGBA."""
