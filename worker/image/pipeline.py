"""The diffusers renderer, for the engine process only.

With `schedulers`, `conditioning` and `painting` it is all of the worker that knows diffusers.

Serves what is a Stable Diffusion 1 or 2 in architecture, of any size: `StableDiffusionPipeline`.
"""

import contextlib
import gc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypedDict, Unpack

import numpy as np
import torch
from diffusers import StableDiffusionImg2ImgPipeline, StableDiffusionPipeline
from diffusers.utils import logging as diffusers_logging
from PIL import Image
from transformers.utils import logging as transformers_logging

from core.vocabulary import Reader, Reading, Vocabulary
from core.wire.submit import GenerationMetadataStable
from worker import pictures, upscaler
from worker.image import conditioning, finishing, schedulers, sizes
from worker.image.order import Checkpoint, PictureOrder, Rendered
from worker.image.painting import Blend, FromMean, Painting
from worker.image.samplers import SAMPLERS, Sampler
from worker.image.sizes import Size
from worker.image.steps import Steps
from worker.renderer import CannotLoad, CannotRender, OnStep, information
from worker.upscaling import Networks

NOTHING: Final = "white"
"""What a model draws that knows no word of a prompt."""

DTYPES: Final = {"cpu": torch.float32, "cuda": torch.float16, "mps": torch.float16}


class Parameters(TypedDict, total=False):
    """What the two pipelines are called with beside what both are."""

    width: int
    height: int
    image: list[Image.Image]
    strength: float


class DiffusersRenderer:
    """Renders with one loaded model at a time.

    device: `cpu`, `cuda` or `mps`.
    """

    def __init__(self, *, device: str) -> None:
        diffusers_logging.set_verbosity_error()
        transformers_logging.set_verbosity_error()
        diffusers_logging.disable_progress_bar()
        transformers_logging.disable_progress_bar()
        self.device = device
        self.model: _Model | None = None
        self.networks = Networks(device)

    def load(self, checkpoint: Checkpoint) -> None:
        """Load a model from its folder; the one before is dropped first, to have its memory."""
        if self.model is not None and self.model.checkpoint == checkpoint:
            return
        self.model = None
        gc.collect()
        if self.device == "cuda":
            torch.cuda.empty_cache()
        try:
            self.model = _Model.load(checkpoint, self.device)
        except Exception as error:  # a broken checkpoint fails in as many ways as it has files
            raise CannotLoad(f"{type(error).__name__}: {error}") from error

    def render(self, order: PictureOrder, on_step: OnStep) -> Rendered:
        """Make the pictures of an order, together where memory and sampler allow."""
        if self.model is None or self.model.checkpoint != order.checkpoint:
            raise CannotRender(f"{order.checkpoint.name} is not loaded")
        sampler = SAMPLERS.get(order.sampler)
        if sampler is None:
            raise CannotRender(f"unknown sampler {order.sampler}")
        with torch.inference_mode(), _seamless(self.model, tiling=order.tiling):
            run = _Run(self.model, order, sampler, on_step, at_once=self._at_once(order, sampler))
            made = self._in_parts(run)
            # After all of them: what does not fit into memory is made again in smaller parts.
            finish = finishing.Finish(order, run.made, run.painting, self.networks)
            finished = [finish(image) for image in made]
        return Rendered(tuple(finished), (*finish.notes, *run.notes))

    def _at_once(self, order: PictureOrder, sampler: Sampler) -> int:
        """How many pictures to render together.

        One on a CPU: it gains little by more (5 %), and its kernels round differently for another
        number, so that a picture would differ by a level from the same seed's picture alone.
        """
        return len(order.seeds) if sampler.batches and self.device != "cpu" else 1

    def _in_parts(self, run: "_Run") -> list[Image.Image]:
        """Render some pictures at once, and half as many each time memory does not suffice."""
        size = run.at_once
        made: list[Image.Image] = []
        while len(made) < len(run.order.seeds):
            try:
                made += run.make(run.order.seeds[len(made) : len(made) + size])
            except torch.OutOfMemoryError:
                if size == 1:
                    raise CannotRender("the device has too little memory for this size") from None
                size //= 2
                torch.cuda.empty_cache()
        return made


@dataclass(frozen=True)
class _Model:
    """A loaded model: two pipelines over the same networks."""

    checkpoint: Checkpoint
    from_text: Any
    from_image: Any
    scheduler_config: Any
    words: Reader | None = None

    @classmethod
    def load(cls, checkpoint: Checkpoint, device: str) -> "_Model":
        pipe = StableDiffusionPipeline.from_pretrained(
            checkpoint.folder,
            local_files_only=True,
            use_safetensors=True,
            dtype=DTYPES[device],
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        ).to(device)
        other = FromMean(**pipe.components, requires_safety_checker=False)
        for one in (pipe, other):
            one.set_progress_bar_config(disable=True)
        words = None
        if checkpoint.vocabulary is not None:
            words = Reader(Vocabulary.from_json(checkpoint.vocabulary.read_bytes()))
        return cls(checkpoint, pipe, other, pipe.scheduler.config, words)


class _Run:
    """One order on its way through the model."""

    def __init__(
        self, model: _Model, order: PictureOrder, sampler: Sampler, on_step: OnStep, *, at_once: int
    ) -> None:
        self.model = model
        self.order = order
        self.sampler = sampler
        self.at_once = at_once
        self.wanted = Size(order.width, order.height)
        self.composed = self._composed()
        asked = order.hires_strength or 0.0
        self.hires_strength = sizes.refining_strength(asked, model.checkpoint)
        self.refined = self._refined()
        self.made = self.composed if self.refined is None else self.refined
        self.painting = self._painting()
        self.read = self._read()
        self.notes = list(self._notes())
        passes = 1 if self.refined is None else 2
        self.steps = Steps(on_step, order.steps, passes * (len(order.seeds) // at_once))
        self.prompt = conditioning.encode(
            model.from_text, self.read.text, order.negative, clip_skip=order.clip_skip
        )
        if self.prompt.dropped:
            self.notes.append(information(self.prompt.dropped))

    def make(self, seeds: Sequence[int]) -> list[Image.Image]:
        """Make the pictures of some of the order's seeds at once."""
        if self._knows_nothing():
            self.steps.skip(self.order.steps * len(seeds) // self.at_once)
            return [Image.new("RGB", (self.made.width, self.made.height), NOTHING)] * len(seeds)
        generators = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
        if self.painting is None:
            made = self._call(
                self.model.from_text,
                generators,
                width=self.composed.width,
                height=self.composed.height,
            )
        else:
            made = self._redraw(
                [self.painting.start] * len(seeds), generators, self.order.strength, self.painting
            )
        if self.refined is not None:
            size = (self.refined.width, self.refined.height)
            larger = [pictures.scaled(image, *size, tiling=self.order.tiling) for image in made]
            made = self._redraw(larger, generators, self.hires_strength, None)
        return made

    def _redraw(
        self,
        images: list[Image.Image],
        generators: list[torch.Generator],
        strength: float,
        painting: Painting | None,
    ) -> list[Image.Image]:
        """Noise pictures and denoise them again; strength: 0 to 1, at least one step's worth."""
        steps = self.order.steps
        redrawn = max(1, min(steps, round(steps * strength)))
        blend = None
        if painting is not None and painting.mask is not None:
            blend = painting.blender(self.model.from_image, [g.initial_seed() for g in generators])
        # The pipeline rounds steps x strength down, so the share asked for is half a step more.
        share = min(1.0, (redrawn + 0.5) / steps)
        return self._call(
            self.model.from_image, generators, blend=blend, image=images, strength=share
        )

    def _call(
        self,
        pipe: StableDiffusionPipeline | StableDiffusionImg2ImgPipeline,
        generators: list[torch.Generator],
        *,
        blend: Blend | None = None,
        **parameters: Unpack[Parameters],
    ) -> list[Image.Image]:
        order, count = self.order, len(generators)
        pipe.scheduler = schedulers.make(
            self.sampler,
            self.model.scheduler_config,
            karras=order.karras,
            steps=order.steps,
            seed=generators[0].initial_seed(),
        )
        self.steps.begin()

        def after_step(
            called: StableDiffusionImg2ImgPipeline,
            index: int,
            _: torch.Tensor,
            state: dict[str, Any],
        ) -> dict[str, Any]:
            self.steps.done(index + 1, called.num_timesteps)
            return state if blend is None else blend(called, index, state)

        arrays = pipe(
            prompt_embeds=self.prompt.positive.repeat(count, 1, 1),
            negative_prompt_embeds=self.prompt.negative.repeat(count, 1, 1),
            num_inference_steps=order.steps,
            guidance_scale=order.cfg_scale,
            generator=generators,
            output_type="np",
            callback_on_step_end=after_step,
            **parameters,
        ).images
        if not np.isfinite(arrays).all():
            raise CannotRender("the model's numbers ran out of range")
        return [Image.fromarray((array * 255).round().astype(np.uint8)) for array in arrays]

    def _composed(self) -> Size:
        """The size at which the picture is made at first."""
        checkpoint = self.model.checkpoint
        if checkpoint.square_only and self.order.source is None and not self.order.tiling:
            return Size(checkpoint.native, checkpoint.native)
        return sizes.to_compose(self.wanted, checkpoint)

    def _read(self) -> Reading:
        """The prompt as the model's vocabulary has it, or as it is."""
        if self.model.words is None:
            return Reading(self.order.prompt, (), {}, ())
        return self.model.words.read(self.order.prompt)

    def _knows_nothing(self) -> bool:
        """Whether the model would draw anything at all, for words it does not know."""
        asked = bool(self.order.prompt.strip()) and self.painting is None
        return asked and self.model.words is not None and not self.read.says_something

    def _refined(self) -> Size | None:
        """The size of the hires fix; None where there is nothing to gain by it."""
        if self.order.hires_strength is None or self.order.source is not None:
            return None
        if self._is_enlarged():
            return None
        refined = sizes.to_refine(self.wanted, self.model.checkpoint)
        return refined if refined.area > self.composed.area else None

    def _is_enlarged(self) -> bool:
        """Whether the model's own network makes a larger picture better than a second pass."""
        return self.model.checkpoint.enlarger is not None and not self.order.tiling

    def _painting(self) -> Painting | None:
        if self.order.source is None:
            return None
        return Painting.read(self.order.source, wanted=self.wanted, composed=self.composed)

    def _notes(self) -> Iterator[GenerationMetadataStable]:
        yield from () if self.painting is None else self.painting.notes
        if self.sampler.instead is not None:
            yield information(f"{self.order.sampler} is {self.sampler.instead} here")
        yield from map(information, self.read.notes)
        if self._knows_nothing():
            yield information("knows none of these words, so it draws nothing")
        if self.order.hires_strength is not None and self._is_enlarged():
            yield information(f"hires fix is {upscaler.OWN} with it")
        elif self.refined is not None and self.hires_strength != self.order.hires_strength:
            yield information(f"hires fix redraws no more than {self.hires_strength} with it")
        layers = self.model.from_text.text_encoder.config.num_hidden_layers
        if self.order.clip_skip > layers:
            yield information(f"clip_skip is {layers}: the text encoder has no more layers")


@contextlib.contextmanager
def _seamless(model: _Model, *, tiling: bool) -> Iterator[None]:
    """While tiling, convolutions see the opposite edge beyond each edge."""
    convolutions = [
        module
        for network in (model.from_text.unet, model.from_text.vae)
        for module in network.modules()
        if tiling and isinstance(module, torch.nn.Conv2d)
    ]
    for convolution in convolutions:
        convolution.padding_mode = "circular"
    try:
        yield
    finally:
        for convolution in convolutions:
            convolution.padding_mode = "zeros"
