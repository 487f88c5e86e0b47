"""Models that are loaded: what the families have in common, and Stable Diffusion 1 and 2.

In the engine process only: uses torch.
"""

import contextlib
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final, TypedDict

import torch
from diffusers import SchedulerMixin, StableDiffusionPipeline

from core.vocabulary import Reader, Vocabulary
from core.wire.submit import GenerationMetadataStable
from worker import pictures
from worker.image import conditioning, painting, schedulers
from worker.image.conditioning import Conditioning, Encoder
from worker.image.inpainting import Beside
from worker.image.lora import Adaptations
from worker.image.order import Checkpoint, PictureOrder, Word
from worker.image.painting import Blend, FromMean, Painting
from worker.image.previews import Looks
from worker.image.samplers import SAMPLERS
from worker.image.words import Words

MAX_CHEAP_SIDE: Final = 64
"""Latents; of a larger picture it is not even measured."""
USUAL: Final = {"local_files_only": True}


class Sides(TypedDict, total=False):
    """Pixels, as a pipeline is told them."""

    width: int
    height: int


class Loaded:
    """A loaded Stable Diffusion 1 or 2, and what other families change.

    pipe: makes pictures from texts. from_image: from pictures, with the same networks; None where
        the family cannot.
    reader: reads prompts by the words that it knows; None: it takes any.
    looks: how its latents look. is_cheap: whether decoding them takes next to no time.
    """

    made_with: ClassVar[Mapping[str, Any]] = {"requires_safety_checker": False}
    """What each of its pipelines is made with beside the networks."""
    left_out: ClassVar[Mapping[str, None]] = {"safety_checker": None, "feature_extractor": None}
    """Parts of checkpoints that are not loaded."""
    text_pipeline: ClassVar[Any] = StableDiffusionPipeline
    image_pipeline: ClassVar[Any] = FromMean
    denoiser: ClassVar[str] = "unet"
    learning: ClassVar[Mapping[str, str]] = {"": "text_encoder"}
    """The text encoders for which there are learned words, by their suffix (`words.SIDES`)."""
    refines_codes: ClassVar[bool] = False
    """Whether `call` has a hires fix of its own (`larger`), before there is a picture."""

    def __init__(self, checkpoint: Checkpoint, pipe: Any) -> None:  # noqa: ANN401 - of its family
        self.checkpoint = checkpoint
        self.from_text = pipe
        self.from_image = self._second(pipe)
        self.scheduler_config = pipe.scheduler.config
        self.reader = None
        if checkpoint.vocabulary is not None:
            self.reader = Reader(Vocabulary.from_json(checkpoint.vocabulary.read_bytes()))
        self.looks = Looks()
        self.words = self._words(())
        self._adaptations = Adaptations(pipe)
        self._beside = Beside(pipe) if checkpoint.paints else None
        self.is_cheap = False
        for one in (pipe, self.from_image):
            if one is not None:
                one.set_progress_bar_config(disable=True)

    @classmethod
    def load(cls, checkpoint: Checkpoint, device: str, dtype: torch.dtype) -> "Loaded":
        """Load a checkpoint from its folder. It raises whatever a broken one makes diffusers do."""
        pipe = cls.text_pipeline.from_pretrained(
            checkpoint.folder,
            local_files_only=True,
            use_safetensors=checkpoint.is_safe,
            variant=checkpoint.variant,
            dtype=dtype,
            **cls.left_out,
            **cls.made_with,
        )
        return cls(checkpoint, pipe.to(device))

    @property
    def networks(self) -> Sequence[torch.nn.Module]:
        """The denoiser and the autoencoder."""
        return getattr(self.from_text, self.denoiser), self.from_text.vae

    @property
    def dtype(self) -> torch.dtype:
        """Of its weights."""
        return next(self.networks[0].parameters()).dtype

    # What the families differ in

    def encode(self, order: PictureOrder) -> Conditioning:
        """Encode an order's prompts."""
        layers = self.from_text.text_encoder.config.num_hidden_layers
        encoder = self._encoder("", layer=order.clip_skip, is_normed=True)
        made = conditioning.of_one(encoder, order.prompt, order.negative)
        if order.clip_skip > layers:
            made.notes.append(f"clip_skip is {layers}: the text encoder has no more layers")
        return made

    def scheduler(self, order: PictureOrder, seed: int) -> SchedulerMixin:
        """Make the scheduler for an order; seed: of its first picture."""
        return schedulers.make(
            SAMPLERS[order.sampler],
            self.scheduler_config,
            karras=order.karras,
            steps=order.steps,
            seed=seed,
        )

    def instead(self, order: PictureOrder) -> str | None:
        """Say which sampler really draws, where it is not the one that was asked for."""
        return SAMPLERS[order.sampler].instead

    def guidance(self, order: PictureOrder) -> dict[str, Any]:
        """Say how strongly the prompt is followed, as the pipeline wants to hear it."""
        return {"guidance_scale": order.cfg_scale}

    def call(self, pipe: Any, **given: Any) -> Any:  # noqa: ANN401 - pictures, by its parameters
        """Make pictures with one of the pipelines: (n, height, width, 3), 0 to 1."""
        return pipe(output_type="np", **given).images

    def sides(self, width: int, height: int) -> Sides:
        """Say how large a picture is that is made from one, where the pipeline does not see it."""
        del width, height
        return {}

    def blender(self, source: Painting, seeds: list[int]) -> Blend:
        """A callback after each step that puts the part which stays back, noised as the rest is."""
        return painting.blender(self.from_image, source, seeds)

    def show(self, source: Painting | None) -> None:
        """Let the denoiser see what is to stay in the next pictures, if it can; None: nothing."""
        if self._beside is not None:
            self._beside.show(source)

    def unpacked(self, latents: torch.Tensor, width: int, height: int) -> torch.Tensor:
        """Give the first picture's latents, (channels, height, width); width, height: in pixels."""
        del width, height
        return latents[0]

    def decoded(self, latents: torch.Tensor) -> Any:  # noqa: ANN401 - a picture
        """Decode latents, (channels, height, width)."""
        vae = self.from_text.vae
        shift = vae.config.get("shift_factor") or 0.0
        scaled = latents[None].to(vae.device, vae.dtype) / vae.config.scaling_factor + shift
        with torch.inference_mode():
            pixels = vae.decode(scaled).sample
        return self.from_text.image_processor.postprocess(pixels, output_type="pil")[0]

    # What they have in common

    @property
    def size(self) -> int:
        """Bytes of all its weights."""
        parts = [one for one in self.from_text.components.values() if hasattr(one, "parameters")]
        return sum(tensor.nbytes for part in parts for tensor in part.parameters())

    def to(self, device: str) -> None:
        """Move it to another device."""
        self.from_text.to(device)  # the other pipeline has the same networks
        self._adaptations = Adaptations(self.from_text)

    def decoding_seconds(self) -> float:
        """Measure how long it takes to decode a picture of the native size."""
        side = self.checkpoint.native // self.from_text.vae_scale_factor
        if side > MAX_CHEAP_SIDE:
            return math.inf
        latents = torch.zeros(self.from_text.vae.config.latent_channels, side, side)
        took = []
        for _ in range(2):  # the first one finds out how to do it
            began = time.monotonic()
            self.decoded(latents)
            took.append(time.monotonic() - began)
        return min(took)

    def preview(self, latents: torch.Tensor) -> bytes | None:
        """Show what latents, (channels, height, width), will look like."""
        image = self.decoded(latents) if self.is_cheap else self.looks.picture(latents)
        return None if image is None else pictures.preview(image)

    @contextlib.contextmanager
    def seamless(self, *, tiling: bool) -> Iterator[None]:
        """While tiling, convolutions see the opposite edge beyond each edge."""
        if not tiling:
            yield
            return
        self.wrap(around=True)
        try:
            yield
        finally:
            self.wrap(around=False)

    def wrap(self, *, around: bool) -> None:
        """Let convolutions see the opposite edge beyond each edge, or nothing."""
        for network in self.networks:
            for module in network.modules():
                if isinstance(module, torch.nn.Conv2d):
                    module.padding_mode = "circular" if around else "zeros"

    def _second(self, pipe: Any) -> Any:  # noqa: ANN401 - of its family
        return self.image_pipeline(**pipe.components, **self.made_with)

    def _encoder(self, suffix: str, *, layer: int, is_normed: bool) -> Encoder:
        """One of its text encoders. suffix: of its name in the pipeline."""
        tokenizer = getattr(self.from_text, f"tokenizer{suffix}")
        model = getattr(self.from_text, f"text_encoder{suffix}")
        words = self.words.ids[suffix]
        return Encoder(tokenizer, model, layer=layer, is_normed=is_normed, words=words)

    @contextlib.contextmanager
    def adapted(self, order: PictureOrder) -> Iterator[list[GenerationMetadataStable]]:
        """Be as the order wants it meanwhile; gives notes about what could not be done."""
        words = self._words(order.words)
        self.words = words
        try:
            with words.known(), self._adaptations.applied(order.adaptations) as notes:
                yield [*words.notes, *notes]
        finally:
            self.words = self._words(())

    def _words(self, wanted: Sequence[Word]) -> Words:
        encoders = {side: getattr(self.from_text, name) for side, name in self.learning.items()}
        return Words(encoders, wanted)
