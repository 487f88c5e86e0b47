"""Sees whether pictures are unsafe for work. In the engine process only: uses torch."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
from PIL import Image

from worker.renderer import BrokenResult, CannotLoad, CannotRender, Model
from worker.vision import VisionModel

if TYPE_CHECKING:
    from worker.seeing import Vision

EXPOSED: Final = frozenset(
    {
        "ANUS_EXPOSED",
        "BUTTOCKS_EXPOSED",
        "FEMALE_BREAST_EXPOSED",
        "FEMALE_GENITALIA_EXPOSED",
        "MALE_GENITALIA_EXPOSED",
    }
)
"""What it finds that is unsafe for work; it also finds faces, feet and what is covered."""
MIN_SCORE: Final = 0.3
"""How sure it has to be, 0 to 1. Its own least is 0.2: a picture held back for nothing costs less
than one that should have been."""


class Check(Protocol):
    """A way to see whether a picture is unsafe for work."""

    def is_unsafe(self, image: Image.Image) -> bool:
        """Look at an RGB picture. Raises CannotLoad, BrokenResult."""


class Safety:
    """All ways to see it; what they need is loaded when it is needed first.

    vision: gives the networks that look at pictures.
    """

    def __init__(self, vision: Callable[[], "Vision"]) -> None:
        self._vision = vision
        self._checks: dict[Model, Check] = {}

    def is_unsafe(self, checker: Model, image: Image.Image) -> bool:
        """Look at an RGB picture. Raises CannotRender where that cannot be done."""
        try:
            if checker not in self._checks:
                self._checks[checker] = self._made(checker)
            return self._checks[checker].is_unsafe(image)
        except (CannotLoad, BrokenResult) as error:
            raise CannotRender(f"{checker.name} cannot check pictures: {error}") from error

    def _made(self, checker: Model) -> Check:
        if isinstance(checker, VisionModel):
            return OfNetwork(self._vision(), checker)
        return OfPackage()


class OfNetwork:
    """Asks the safety checker of Stable Diffusion."""

    def __init__(self, vision: "Vision", model: VisionModel) -> None:
        vision.load(model)
        self._vision = vision
        self._model = model

    def is_unsafe(self, image: Image.Image) -> bool:
        """Look at an RGB picture."""
        return bool(self._vision.answer(self._model, image))


class OfPackage:
    """Asks the package's detector."""

    def __init__(self) -> None:
        try:
            from nudenet import NudeDetector  # noqa: PLC0415 - whoever has a network does without

            self._detector: Any = NudeDetector()
        except Exception as error:  # whatever a foreign package's start may lead to
            raise CannotLoad(f"{type(error).__name__}: {error}") from error

    def is_unsafe(self, image: Image.Image) -> bool:
        """Look at an RGB picture."""
        blue_first = np.ascontiguousarray(np.asarray(image)[:, :, ::-1])
        found = self._detector.detect(blue_first)
        return any(one["class"] in EXPOSED and one["score"] >= MIN_SCORE for one in found)
