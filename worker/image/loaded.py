"""A Stable Diffusion 1 or 2 that is loaded. In the engine process only: uses torch."""

import contextlib
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import torch
from diffusers import StableDiffusionPipeline

from worker.image import previews
from worker.image.order import Checkpoint
from worker.image.painting import FromMean
from worker.image.previews import Looks

MAX_CHEAP_SIDE: Final = 64
"""Latents; of a larger picture it is not even measured."""


@dataclass
class Loaded:
    """A loaded model: two pipelines over the same networks.

    looks: how its latents look. is_cheap: whether decoding them takes next to no time.
    """

    checkpoint: Checkpoint
    from_text: Any
    from_image: Any
    scheduler_config: Any
    looks: Looks = field(default_factory=Looks)
    is_cheap: bool = False

    @classmethod
    def load(cls, checkpoint: Checkpoint, device: str, dtype: torch.dtype) -> "Loaded":
        """Load a checkpoint from its folder. It raises whatever a broken one makes diffusers do."""
        pipe = StableDiffusionPipeline.from_pretrained(
            checkpoint.folder,
            local_files_only=True,
            use_safetensors=True,
            dtype=dtype,
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        ).to(device)
        other = FromMean(**pipe.components, requires_safety_checker=False)
        for one in (pipe, other):
            one.set_progress_bar_config(disable=True)
        return cls(checkpoint, pipe, other, pipe.scheduler.config)

    def decoding_seconds(self) -> float:
        """Measure how long it takes to decode a picture of the native size."""
        vae = self.from_text.vae
        side = self.checkpoint.native // self.from_text.vae_scale_factor
        latents = torch.zeros(
            1, vae.config.latent_channels, side, side, device=vae.device, dtype=vae.dtype
        )
        if side > MAX_CHEAP_SIDE:
            return math.inf
        took = []
        for _ in range(2):  # the first one finds out how to do it
            began = time.monotonic()
            with torch.inference_mode():
                vae.decode(latents).sample.cpu()
            took.append(time.monotonic() - began)
        return min(took)

    def preview(self, latents: torch.Tensor) -> bytes | None:
        """Show what latents, (channels, height, width), will look like."""
        if not self.is_cheap:
            image = self.looks.picture(latents)
            return None if image is None else previews.encoded(image)
        vae = self.from_text.vae
        scaled = latents[None].to(vae.device, vae.dtype) / vae.config.scaling_factor
        with torch.inference_mode():
            pixels = vae.decode(scaled).sample
        [image] = self.from_text.image_processor.postprocess(pixels, output_type="pil")
        return previews.encoded(image)

    @contextlib.contextmanager
    def seamless(self, *, tiling: bool) -> Iterator[None]:
        """While tiling, convolutions see the opposite edge beyond each edge."""
        convolutions = [
            module
            for network in (self.from_text.unet, self.from_text.vae)
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
