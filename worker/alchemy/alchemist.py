"""Answers forms. In the engine process only: enlarging uses torch."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image
from pydantic import JsonValue

from worker import pictures
from worker.alchemy.colours import merged
from worker.alchemy.order import Answered, Description, FormOrder
from worker.alchemy.tracing import traced
from worker.checking import Safety
from worker.faces.fixer import FaceFixer
from worker.post_processing import BackgroundRemover, PostProcessor
from worker.processing import Processing
from worker.renderer import BrokenResult, CannotLoad, CannotRender, Model, OnStep
from worker.safety import Detector
from worker.upscaler import Upscaler
from worker.vision import VisionModel

if TYPE_CHECKING:
    from worker.seeing import Vision

MAX_COLOURS: Final = 8
CUT_COLOURS: Final = 24
ALIKE: Final = 8.0
"""In CIELAB: below, nobody would call it another colour."""
LOOKED_AT: Final = (256, 256)
"""Pixels: a palette is a matter of areas, which a small copy has too."""


class Alchemist:
    """Answers forms: about colours and shapes, without backgrounds, larger, or in words.

    vision: gives the networks for words; late, as they come with libraries of their own.
    """

    def __init__(
        self, *, processing: Processing, vision: Callable[[], "Vision"], safety: Safety
    ) -> None:
        self._processing = processing
        self._vision = vision
        self._safety = safety

    def load(self, model: Model) -> None:
        """Have a network ready and see it work, where one is needed. Raises CannotLoad."""
        if isinstance(model, VisionModel):
            self._vision().load(model)
        elif isinstance(model, Detector):
            self._safety.load(model)
        elif isinstance(model, Upscaler | FaceFixer | BackgroundRemover):
            self._processing.load(model)

    def render(self, order: FormOrder, on_step: OnStep) -> Answered:
        """Answer a form. Raises CannotRender."""
        source = pictures.read(order.picture, kind="source_image")
        if isinstance(order.form, Description) and order.form.name in ANSWERS:
            return Answered(ANSWERS[order.form.name](source))
        if isinstance(order.form, Upscaler | FaceFixer | BackgroundRemover):
            return self._processed(order.form, source, on_step)
        image = pictures.on_white(source)
        if isinstance(order.form, Detector):
            return Answered(self._safety.is_unsafe(order.form, image))
        if isinstance(order.form, VisionModel):
            return Answered(self._vision().answer(order.form, image))
        raise CannotRender(f"nobody here answers {order.form.name}")

    def _processed(
        self, processor: PostProcessor, source: Image.Image, on_step: OnStep
    ) -> Answered:
        """Post-process a picture (RGBA). Raises CannotRender."""
        if not isinstance(processor, BackgroundRemover):
            source = pictures.on_white(source)
        try:
            made = self._processing.apply(processor, source, on_step)
        except CannotLoad as error:
            raise BrokenResult(str(error)) from error
        return Answered(pictures.picture_of(made.image), made.note)


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
