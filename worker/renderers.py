"""The engine's renderers of all kinds. In the engine process only: imports torch.

Each renderer needs libraries of its own, so it is made when the first model of its kind is loaded:
a worker that writes text never imports diffusers.
"""

import threading
from typing import TYPE_CHECKING, Any, Final

import torch
from tqdm import tqdm  # type: ignore[import-untyped]

from worker.alchemy.order import Description
from worker.checking import Safety
from worker.faces.fixer import FaceFixer
from worker.image.order import Checkpoint
from worker.post_processing import BackgroundRemover
from worker.processing import Processing
from worker.renderer import CannotLoad, Held, Holding, Model, OnStep, Order, Renderer
from worker.safety import Detector
from worker.text.order import GgufModel, LanguageModel
from worker.upscaler import Upscaler
from worker.vision import VisionModel

if TYPE_CHECKING:
    from worker.seeing import Vision


ALCHEMY: Final = {BackgroundRemover, Description, Detector, FaceFixer, Upscaler, VisionModel}
"""What answers forms."""


class Renderers:
    """Passes each model and order to its renderer.

    device: `auto`, `cpu`, `cuda` or `mps`.
    threads: CPU threads of torch.
    """

    def __init__(self, *, device: str, threads: int) -> None:
        torch.set_num_threads(threads)
        # Its own lock is shared between processes, and a killed engine would leave it behind.
        tqdm.set_lock(threading.RLock())
        self.device = best_device() if device == "auto" else device
        self._made: dict[type[Model], Renderer] = {}
        self._processing = Processing(self.device)
        self._safety = Safety(self._vision)
        self._seeing: Vision | None = None

    def load(self, model: Model) -> None:
        """Load a model. Raises CannotLoad."""
        kind = type(model)
        if kind not in self._made:
            self._made[kind] = self._make(kind)
        self._made[kind].load(model)

    def render(self, order: Order[Any], on_step: OnStep) -> Any:  # noqa: ANN401 - what the order says
        """Serve an order, whose model is loaded. Raises CannotRender."""
        return self._made[type(order.model)].render(order, on_step)

    def held(self) -> tuple[Held, ...]:
        """Name the models in memory."""
        holding = [made for made in self._made.values() if isinstance(made, Holding)]
        return tuple(held for made in holding for held in made.held())

    def _vision(self) -> "Vision":
        """Give the networks that look at pictures, for forms and for whoever checks."""
        if self._seeing is None:
            from worker.seeing import Vision  # noqa: PLC0415 - see above

            self._seeing = Vision(self.device)
        return self._seeing

    def _make(self, kind: type[Model]) -> Renderer:
        if kind is Checkpoint:
            from worker.image.pipeline import DiffusersRenderer  # noqa: PLC0415 - see above

            return DiffusersRenderer(
                device=self.device, processing=self._processing, safety=self._safety
            )
        if kind is GgufModel:
            from worker.text.gguf_writer import GgufWriter  # noqa: PLC0415 - see above

            return GgufWriter(device=self.device)
        if kind is LanguageModel:
            from worker.text.writer import Writer  # noqa: PLC0415 - see above

            return Writer(device=self.device)
        if kind in ALCHEMY:
            from worker.alchemy.alchemist import Alchemist  # noqa: PLC0415 - see above

            return Alchemist(processing=self._processing, vision=self._vision, safety=self._safety)
        raise CannotLoad(f"nobody here renders with a {kind.__name__}")


def best_device() -> str:
    """Choose what renders fastest here."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
