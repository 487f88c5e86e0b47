"""One order on its way through a model. In the engine process only: uses torch."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final, TypedDict, Unpack

import numpy as np
import torch
from PIL import Image

from core.vocabulary import Reading
from core.wire.submit import GenerationMetadataStable
from worker import pictures, upscaler
from worker.image import controlled, layers, previews, sizes
from worker.image.conditioning import Conditioning
from worker.image.controlled import ControlNetworks
from worker.image.layers import Drawn, Layer
from worker.image.loaded import Loaded
from worker.image.order import PictureOrder
from worker.image.painting import Blend, Painting
from worker.image.samplers import Sampler
from worker.image.sizes import Larger, Size
from worker.image.steps import Steps
from worker.renderer import BrokenResult, OnStep, Shown, information

NOTHING: Final = "white"
"""What a model draws that knows no word of a prompt."""
WRAPPED_FROM: Final = 0.6
"""Of the steps of a small model, after which its edges meet: it draws things in the middle, and one
without a middle falls to pieces (looked at with the shipped model)."""
FOR_PAINTING: Final = "the model is made for inpainting: others draw whole pictures better"


class Parameters(TypedDict, total=False):
    """What pipelines are called with beside what all of them are."""

    width: int
    height: int
    image: list[Image.Image]
    strength: float
    controlnet_conditioning_scale: float
    larger: Larger


class Run:
    """One order on its way through the model."""

    def __init__(
        self,
        model: Loaded,
        order: PictureOrder,
        sampler: Sampler,
        on_step: OnStep,
        *,
        at_once: int,
        networks: ControlNetworks | None = None,
    ) -> None:
        self.model = model
        self.order = order
        self.sampler = sampler
        self.at_once = at_once
        self.blank = 0
        self.wanted = Size(order.width, order.height)
        self.composed = sizes.of_order(order)
        self.refined = None
        if model.from_image is not None or model.refines_codes:
            self.refined = sizes.refined(order, self.composed)
        asked = order.hires_strength or 0.0
        self.refinement = sizes.refinement(asked, model.checkpoint)
        self.made = self.composed if self.refined is None else self.refined
        self.wraps_late = sizes.wraps_late(order)
        self.painting = self._painting()
        self.controlled = self._controlled(networks)
        self.read = self._read()
        self.plan = None if self.refined is not None else layers.plan(order, self.read)
        self.notes = list(self._notes())
        self.steps = Steps(on_step, order.steps, self._passes(len(order.seeds)))
        self.prompt = model.encode(replace(order, prompt=self._worded()))
        self.notes += map(information, self.prompt.notes)
        self.parts = [] if self.plan is None else [self._encoded(one) for one in self.plan.layers]

    def _encoded(self, layer: Layer) -> Conditioning:
        return self.model.encode(replace(self.order, prompt=layer.prompt))

    def halve(self, left: int) -> None:
        """Make half as many at once from now on. left: how many are to be made."""
        self.at_once //= 2
        self.steps.passes(self._passes(left))

    def _passes(self, pictures: int) -> int:
        each = 1 if self.refined is None or self.model.refines_codes else 2
        if self.plan is not None:
            each = len(self.plan.layers)
        return each * math.ceil(pictures / self.at_once)

    def make(self, seeds: Sequence[int]) -> list[Image.Image | Drawn]:
        """Make the pictures of some of the order's seeds at once, or the layers of each."""
        if self._knows_nothing():
            self.steps.skip(self._passes(len(seeds)))
            return [Image.new("RGB", (self.made.width, self.made.height), NOTHING)] * len(seeds)
        generators = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
        if self.plan is not None:
            each = [self._compose(generators, part) for part in self.parts]
            if self.plan.is_whole:
                return [*each[0]]
            return [Drawn(self.plan, one) for one in zip(*each, strict=True)]
        if self.painting is None:
            made = self._compose(generators, self.prompt)
        else:
            made = self._redraw(
                [self.painting.start] * len(seeds), generators, self.order.strength, self.painting
            )
        if self.refined is not None and not self.model.refines_codes:
            size = (self.refined.width, self.refined.height)
            larger = [pictures.scaled(image, *size, tiling=self.order.tiling) for image in made]
            made = self._redraw(larger, generators, self.refinement, None)
        return [*made]

    def _compose(
        self, generators: list[torch.Generator], prompt: Conditioning
    ) -> list[Image.Image]:
        """Draw pictures out of noise."""
        width, height = self.composed.width, self.composed.height
        control = self.order.control
        self.model.show(None)
        if self.wraps_late:
            self.model.wrap(around=False)
        if control is None:
            pipe, size = self.model.from_text, Parameters(width=width, height=height)
            if self.refined is not None and self.model.refines_codes:
                size["larger"] = Larger(self.refined, self.refinement)
            return self._call(pipe, generators, prompt, **size)
        return self._call(
            self.controlled,
            generators,
            prompt,
            width=width,
            height=height,
            image=[controlled.map_of(control, self.composed)] * len(generators),
            controlnet_conditioning_scale=control.strength,
        )

    def _redraw(
        self,
        images: list[Image.Image],
        generators: list[torch.Generator],
        strength: float,
        painting: Painting | None,
    ) -> list[Image.Image]:
        """Noise pictures and denoise them again; strength: 0 to 1, at least one step's worth."""
        steps = self.order.steps
        redrawn = sizes.redrawn(steps, strength)
        self.model.show(painting)
        blend = None
        if painting is not None and painting.mask is not None:
            blend = self.model.blender(painting, [g.initial_seed() for g in generators])
        # The pipeline rounds steps x strength down, so the share asked for is half a step more.
        share = min(1.0, (redrawn + 0.5) / steps)
        return self._call(
            self.model.from_image,
            generators,
            self.prompt,
            blend=blend,
            image=images,
            strength=share,
            **self.model.sides(*images[0].size),
        )

    def _call(
        self,
        pipe: Any,  # noqa: ANN401 - of the model's family
        generators: list[torch.Generator],
        prompt: Conditioning,
        *,
        blend: Blend | None = None,
        **parameters: Unpack[Parameters],
    ) -> list[Image.Image]:
        order, count = self.order, len(generators)
        pipe.scheduler = self.model.scheduler(order, generators[0].initial_seed())
        self.steps.begin()
        estimate = previews.Estimate(pipe.scheduler)
        size = self._size(parameters)
        last: dict[str, torch.Tensor] = {}

        def show() -> Shown | None:
            latents = estimate.latents()
            if latents is None:
                return None
            preview = self.model.preview(self.model.unpacked(latents[None], *size))
            first = order.seeds.index(generators[0].initial_seed())
            return None if preview is None else Shown(first, preview)

        def after_step(
            called: Any,  # noqa: ANN401 - of the model's family
            index: int,
            _: torch.Tensor,
            state: dict[str, Any],
        ) -> dict[str, Any]:
            self.steps.done(index + 1, called.num_timesteps, show)
            if self.wraps_late and index + 1 == math.ceil(WRAPPED_FROM * called.num_timesteps):
                self.model.wrap(around=True)
            if blend is not None:
                state = blend(called, index, state)
            last.update(state)
            return state

        arrays = self.model.call(
            pipe,
            **prompt.repeated(count),
            **self.model.guidance(order),
            num_inference_steps=order.steps,
            generator=generators,
            callback_on_step_end=after_step,
            **parameters,
        )
        if not np.isfinite(arrays).all():
            raise BrokenResult("the model's numbers ran out of range")
        self.blank += sum(float(array.max()) == float(array.min()) for array in arrays)
        made = [Image.fromarray((array * 255).round().astype(np.uint8)) for array in arrays]
        if not self.model.is_cheap and "latents" in last:
            latents = self.model.unpacked(last["latents"], *made[0].size)
            self.model.looks.learn(latents, made[0])
        return made

    @staticmethod
    def _size(parameters: Parameters) -> tuple[int, int]:
        if "width" in parameters:
            return parameters["width"], parameters["height"]
        return parameters["image"][0].size

    def _read(self) -> Reading:
        """The prompt as the model's vocabulary has it, or as it is."""
        if self.model.reader is None:
            return Reading(self.order.prompt, (), {}, ())
        return self.model.reader.read(self.order.prompt)

    def _worded(self) -> str:
        """The prompt as it is encoded: with a ground that can be taken away, where it has none."""
        text = self.read.text
        if not self.order.transparent or "background" in text:
            return text
        return f"{text} on a {layers.NO_GROUND} background"

    def _knows_nothing(self) -> bool:
        """Whether the model would draw anything at all, for words it does not know."""
        is_free = self.painting is None and self.order.control is None
        asked = bool(self.order.prompt.strip()) and is_free
        return asked and self.model.reader is not None and not self.read.says_something

    def _painting(self) -> Painting | None:
        if self.order.source is None:
            return None
        return Painting.read(self.order.source, wanted=self.wanted, composed=self.composed)

    def _controlled(self, networks: ControlNetworks | None) -> Any:  # noqa: ANN401 - of diffusers
        control = self.order.control
        if control is None or control.network is None or networks is None:
            return None
        return networks.pipeline(self.model, control.network)

    def _notes(self) -> Iterator[GenerationMetadataStable]:
        yield from () if self.painting is None else self.painting.notes
        is_masked = self.painting is not None and self.painting.mask is not None
        if self.model.checkpoint.paints and not is_masked:
            yield information(FOR_PAINTING)
        if (instead := self.model.instead(self.order)) is not None:
            yield information(f"{self.order.sampler} is {instead} here")
        yield from map(information, self.read.notes)
        if self.plan is not None:
            yield from map(information, self.plan.notes)
        if self.order.control is not None:
            yield from map(information, controlled.notes_on(self.order.control))
        if self._knows_nothing():
            yield information("knows none of these words, so it draws nothing")
        if self.order.hires_strength is not None and self.order.source is None:
            if sizes.is_enlarged(self.order):
                yield information(f"hires fix is {upscaler.OWN} with it")
            elif self.refined is None:
                yield information("hires_fix changes nothing: the model makes this size as it is")
            elif self.refinement < self.order.hires_strength:
                yield information(
                    f"hires_fix redraws {self.refinement:g}: this model takes no more"
                )
