"""The diffusers renderer, for the engine process only: loads models, and makes pictures of orders.

What differs between the families of models is in `loaded` and the modules of `FAMILIES`.
"""

import gc
import importlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final, TypeVar

import torch
from diffusers.utils import logging as diffusers_logging
from PIL import Image
from transformers.utils import logging as transformers_logging

from worker import pictures
from worker.checking import Safety
from worker.image import controlled, finishing
from worker.image.controlled import ControlNetworks
from worker.image.kept import KeptModels
from worker.image.layers import Drawn
from worker.image.loaded import Loaded
from worker.image.order import Checkpoint, Control, PictureOrder, Rendered
from worker.image.run import Run
from worker.image.samplers import SAMPLERS, Sampler
from worker.image.sizes import Size
from worker.processing import Processing
from worker.renderer import (
    BrokenResult,
    CannotLoad,
    CannotRender,
    Held,
    OnStep,
    Picture,
    information,
    nobody,
)

DTYPES: Final = {
    "cpu": (torch.float32,),
    "cuda": (torch.float16, torch.bfloat16, torch.float32),
    "mps": (torch.float16, torch.float32),
}
"""Of the weights and all that is computed: the next one where a model's numbers run out of range,
as those of some healthy models do in float16."""
CHEAP_SECONDS: Final = 0.1
"""For decoding a picture to show it; it is done the less often the longer it takes."""
TRIAL_SIDE: Final = 64
TOO_LARGE: Final = "the device has too little memory for this size"
NOT_ITS_OWN: Final = "numbers ran out of range by what the order has brought beside the model"

FAMILIES: Final[Mapping[str, tuple[str, str]]] = {
    "sd": ("worker.image.loaded", "Loaded"),
    "sdxl": ("worker.image.sdxl", "LoadedXL"),
    "flux": ("worker.image.flow", "LoadedFlux"),
    "zimage": ("worker.image.flow", "LoadedZImage"),
    "cascade": ("worker.image.cascade", "LoadedCascade"),
}
"""What loads a checkpoint, by `worker.image.inspection`'s name of its family: module and class.

Each imports much of the libraries, so it is imported when a model of it is loaded.
"""

T = TypeVar("T")


class DiffusersRenderer:
    """Renders with one model at a time, and keeps as many as fit.

    device: `cpu`, `cuda` or `mps`.
    """

    def __init__(
        self, *, device: str, processing: Processing | None = None, safety: Safety | None = None
    ) -> None:
        diffusers_logging.set_verbosity_error()
        transformers_logging.set_verbosity_error()
        diffusers_logging.disable_progress_bar()
        transformers_logging.disable_progress_bar()
        self.device = device
        self.model: Loaded | None = None
        self.processing = processing or Processing(device)
        self.safety = safety
        self.kept = KeptModels(device)
        self._controls = ControlNetworks(self.kept)
        self._narrowest: dict[Checkpoint, int] = {}  # of DTYPES, that is wide enough
        self._proven: set[Checkpoint] = set()

    def load(self, checkpoint: Checkpoint) -> None:
        """Have a model that was seen to make something; others may go, to have their memory."""
        kept = self.kept.get(checkpoint)
        if isinstance(kept, Loaded):
            self.model = kept
            return
        dtypes = DTYPES[self.device]
        for index in range(self._narrowest.get(checkpoint, 0), len(dtypes)):
            self._load(checkpoint, dtypes[index])
            self._narrowest[checkpoint] = index
            if checkpoint in self._proven or self._is_sound():
                self._proven.add(checkpoint)
                return
        self._drop(checkpoint)
        raise CannotLoad("its numbers run out of range, or it makes nothing that could be seen")

    def held(self) -> tuple[Held, ...]:
        """Name the models in memory."""
        return self.kept.held()

    def render(self, order: PictureOrder, on_step: OnStep) -> Rendered:
        """Make the pictures of an order, together if memory and sampler allow."""
        checkpoint = order.checkpoint
        if self.model is None or self.model.checkpoint != checkpoint:
            raise CannotRender(f"{checkpoint.name} is not loaded")
        if order.control is not None and order.control.network is None:
            return _map_alone(order, order.control)
        sampler = SAMPLERS.get(order.sampler)
        if sampler is None:
            raise CannotRender(f"unknown sampler {order.sampler}")
        enough = self._narrowest.get(checkpoint, 0)
        while True:
            try:
                rendered = self._rendered(self.model, order, sampler, on_step)
            except BrokenResult as error:
                if self._widened(checkpoint):
                    continue
                if not order.is_pure:
                    self._narrow(checkpoint, enough)
                    raise CannotRender(NOT_ITS_OWN) from error
                self._proven.discard(checkpoint)
                self._drop(checkpoint)  # the next order begins with a trial
                raise
            if not rendered.blank or not self._widened(checkpoint):
                break
        if rendered.blank and not order.is_pure:
            self._narrow(checkpoint, enough)
            return replace(rendered, blank=0)
        return rendered

    def _rendered(
        self, model: Loaded, order: PictureOrder, sampler: Sampler, on_step: OnStep
    ) -> Rendered:
        with (
            torch.inference_mode(),
            model.seamless(tiling=order.tiling),
            model.adapted(order) as unadapted,
        ):
            run = self._begun(model, order, sampler, on_step)
            drawn = self._in_parts(run)
            # After all of them: a batch that does not fit into memory is made again in smaller
            # parts.
            finish = finishing.Finish(order, run.made, run.painting, self.processing)
            made = [finish.flat(one) for one in drawn]
            unsafe = self._unsafe(order, made)
            finished = [
                pictures.held_back(order.width, order.height) if place in unsafe else finish(image)
                for place, image in enumerate(made)
            ]
        notes = (*order.notes, *finish.notes, *unadapted, *run.notes)
        return Rendered(tuple(finished), notes, run.blank, unsafe)

    def _unsafe(self, order: PictureOrder, made: Sequence[Image.Image]) -> frozenset[int]:
        """Say which pictures are to be held back."""
        checker = order.checker
        if checker is None:
            return frozenset()
        if self.safety is None:
            raise CannotRender("nobody here can check pictures")
        unsafe = (place for place, one in enumerate(made) if self.safety.is_unsafe(checker, one))
        return frozenset(unsafe)

    def _load(self, checkpoint: Checkpoint, dtype: torch.dtype) -> None:
        self._drop(checkpoint)
        self.kept.make_room(checkpoint)
        began = time.monotonic()
        load = partial(_family(checkpoint.family).load, checkpoint, self.device, dtype)
        try:
            model = self._unless_too_large(load)
            if model is None:
                self.kept.drop_all()
                model = load()
        except Exception as error:  # a broken checkpoint fails in as many ways as it has files
            raise CannotLoad(f"{type(error).__name__}: {error}") from error
        self.kept.put(checkpoint, model, time.monotonic() - began)
        self.model = model

    def _drop(self, checkpoint: Checkpoint) -> None:
        self.model = None
        self.kept.drop(checkpoint)

    def _widened(self, checkpoint: Checkpoint) -> bool:
        """Load the model again with a wider range of numbers, if there is one."""
        index = self._narrowest.get(checkpoint, 0) + 1
        dtypes = DTYPES[self.device]
        if index >= len(dtypes):
            return False
        self._load(checkpoint, dtypes[index])
        self._narrowest[checkpoint] = index
        return True

    def _narrow(self, checkpoint: Checkpoint, index: int) -> None:
        """Load the model as it was the next time: wider numbers have not helped."""
        if self._narrowest.get(checkpoint, 0) != index:
            self._narrowest[checkpoint] = index
            self._drop(checkpoint)

    def _is_sound(self) -> bool:
        """Make one step of a small picture, and see whether there is something in it."""
        model = self.model
        if model is None:
            return False
        order = trial(model.checkpoint)
        try:
            with torch.inference_mode():
                run = Run(model, order, SAMPLERS[order.sampler], nobody, at_once=1)
                run.make(order.seeds)
        except BrokenResult:
            return False
        except Exception as error:  # it would be the same with each order
            self._drop(model.checkpoint)
            raise CannotLoad(f"{type(error).__name__}: {error}") from error
        model.is_cheap = model.decoding_seconds() <= CHEAP_SECONDS
        return not run.blank

    def _at_once(self, order: PictureOrder, sampler: Sampler) -> int:
        """How many pictures to render together.

        One on a CPU: more gain little (5 %), and its kernels round differently for other numbers,
        so that a picture would differ by a level from one rendered alone with the same seed.
        """
        return len(order.seeds) if sampler.batches and self.device != "cpu" else 1

    def _begun(self, model: Loaded, order: PictureOrder, sampler: Sampler, on_step: OnStep) -> Run:
        begin = partial(
            Run,
            *(model, order, sampler, on_step),
            at_once=self._at_once(order, sampler),
            networks=self._controls,
        )
        run = self._unless_too_large(begin)
        if run is None:
            self.kept.drop_all(but=order.checkpoint)
            run = self._unless_too_large(begin)
        if run is None:
            raise CannotRender(TOO_LARGE)
        return run

    def _in_parts(self, run: Run) -> list[Image.Image | Drawn]:
        """Render some pictures at once, and half as many each time memory is too small."""
        made: list[Image.Image | Drawn] = []
        while len(made) < len(run.order.seeds):
            seeds = run.order.seeds[len(made) : len(made) + run.at_once]
            part = self._unless_too_large(partial(run.make, seeds))
            if part is not None:
                made += part
            elif run.at_once == 1:
                raise CannotRender(TOO_LARGE)
            else:
                run.halve(len(run.order.seeds) - len(made))
        return made

    def _unless_too_large(self, make: Callable[[], T]) -> T | None:
        """Make something; None where memory does not suffice. Then all that it took is free."""
        try:
            return make()
        except torch.OutOfMemoryError:
            pass  # only after this is nothing of it referred to any more
        gc.collect()
        if self.device == "cuda":
            torch.cuda.empty_cache()
        return None


def _family(name: str) -> type[Loaded]:
    module, loaded = FAMILIES[name]
    family: type[Loaded] = getattr(importlib.import_module(module), loaded)
    return family


def _map_alone(order: PictureOrder, control: Control) -> Rendered:
    """Draw the map of a picture, and nothing else: it is the same for every seed."""
    drawn = controlled.map_of(control, Size(order.width, order.height))
    picture = Picture(drawn.width, drawn.height, drawn.tobytes())
    notes = map(information, controlled.notes_on(control))
    return Rendered((picture,) * len(order.seeds), (*order.notes, *notes))


def trial(checkpoint: Checkpoint) -> PictureOrder:
    """The smallest order that shows whether a model makes anything."""
    side = min(checkpoint.native, max(TRIAL_SIDE, 2 * checkpoint.multiple))
    return PictureOrder(
        checkpoint=checkpoint,
        prompt="a cat",
        negative="a dog",
        width=side,
        height=side,
        steps=1,
        cfg_scale=5.0,
        sampler="k_euler",
        karras=False,
        seeds=(1,),
        exact=True,
    )
