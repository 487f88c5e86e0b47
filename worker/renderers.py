"""The engine's renderers of all kinds. In the engine process only: imports torch.

Each renderer comes with libraries of its own, so it is made when the first model of its kind is to
be loaded: a worker that writes text never imports diffusers.
"""

import threading
from typing import Any

import torch
from tqdm import tqdm  # type: ignore[import-untyped]

from worker.alchemy.order import Description
from worker.image.order import Checkpoint
from worker.renderer import CannotLoad, Model, OnStep, Order, Renderer
from worker.text.order import LanguageModel
from worker.upscaler import Upscaler


class Renderers:
    """Gives each model and order to the renderer for it.

    device: `auto`, `cpu`, `cuda` or `mps`.
    threads: CPU threads of torch.
    """

    def __init__(self, *, device: str, threads: int) -> None:
        torch.set_num_threads(threads)
        # Its own lock is one between processes, which a killed engine would leave behind.
        tqdm.set_lock(threading.RLock())
        self.device = best_device() if device == "auto" else device
        self._made: dict[type[Model], Renderer] = {}

    def load(self, model: Model) -> None:
        """Have a model ready. Raises CannotLoad."""
        kind = type(model)
        if kind not in self._made:
            self._made[kind] = self._make(kind)
        self._made[kind].load(model)

    def render(self, order: Order[Any], on_step: OnStep) -> Any:  # noqa: ANN401 - what the order says
        """Make what is ordered; its model is loaded. Raises CannotRender."""
        return self._made[type(order.model)].render(order, on_step)

    def _make(self, kind: type[Model]) -> Renderer:
        if kind is Checkpoint:
            from worker.image.pipeline import DiffusersRenderer  # noqa: PLC0415 - see above

            return DiffusersRenderer(device=self.device)
        if kind is LanguageModel:
            from worker.text.writer import Writer  # noqa: PLC0415 - see above

            return Writer(device=self.device)
        if kind in {Description, Upscaler}:
            from worker.alchemy.alchemist import Alchemist  # noqa: PLC0415 - see above

            return Alchemist(device=self.device)
        raise CannotLoad(f"nobody here renders with a {kind.__name__}")


def best_device() -> str:
    """Choose what renders fastest here."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
