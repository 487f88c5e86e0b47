"""Stable Diffusion XL. In the engine process only: uses torch."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import torch
from diffusers import StableDiffusionXLImg2ImgPipeline, StableDiffusionXLPipeline

from worker.image import conditioning, painting
from worker.image.conditioning import Conditioning
from worker.image.loaded import Loaded
from worker.image.order import PictureOrder

TRAINED_LAYER: Final = 2
"""From the end, of both text encoders: what the model was trained with."""


class FromMeanXL(StableDiffusionXLImg2ImgPipeline):  # type: ignore[misc]  # untyped
    """Starts from the mean of the encoding, as `painting.FromMean` does."""

    def prepare_latents(
        self,
        image: torch.Tensor,
        timestep: torch.Tensor,
        batch_size: int,
        num_images_per_prompt: int,
        dtype: torch.dtype,
        device: torch.device,
        generator: list[torch.Generator],
        add_noise: bool = True,  # noqa: FBT001, FBT002 - diffusers' own
    ) -> torch.Tensor:
        """Encode the pictures, (n, 3, height, width), and noise each with its own generator."""
        del batch_size, num_images_per_prompt, add_noise
        return painting.noised(self, image.to(device, dtype), timestep, generator)


class LoadedXL(Loaded):
    """A loaded Stable Diffusion XL."""

    made_with: ClassVar[Mapping[str, Any]] = {"add_watermarker": False}
    left_out: ClassVar[Mapping[str, None]] = {}
    text_pipeline: ClassVar[Any] = StableDiffusionXLPipeline
    image_pipeline: ClassVar[Any] = FromMeanXL
    learning: ClassVar[Mapping[str, str]] = {"": "text_encoder", "_2": "text_encoder_2"}

    def encode(self, order: PictureOrder) -> Conditioning:
        """Encode both prompts with both encoders."""
        layer = max(TRAINED_LAYER, order.clip_skip)
        encoders = [self._encoder(suffix, layer=layer, is_normed=False) for suffix in ("", "_2")]
        layers = min(encoder.model.config.num_hidden_layers for encoder in encoders)
        made = conditioning.of_two(encoders, order.prompt, order.negative)
        if order.clip_skip > layers:
            made.notes.append(f"clip_skip is {layers}: a text encoder has no more layers")
        return made
