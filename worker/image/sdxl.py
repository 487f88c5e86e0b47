"""Stable Diffusion XL. In the engine process only: uses torch."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from diffusers import StableDiffusionXLPipeline

from worker.image import conditioning
from worker.image.conditioning import Conditioning
from worker.image.loaded import Loaded
from worker.image.order import PictureOrder
from worker.image.painting import FromMeanXL

TRAINED_LAYER: Final = 2
"""From the end, of both text encoders: what the model was trained with."""


class LoadedXL(Loaded):
    """A loaded Stable Diffusion XL."""

    parts: ClassVar[Mapping[str, Any]] = {"add_watermarker": False}
    text_pipeline: ClassVar[Any] = StableDiffusionXLPipeline
    image_pipeline: ClassVar[Any] = FromMeanXL

    def encode(self, order: PictureOrder) -> Conditioning:
        """Encode both prompts with both encoders."""
        layer = max(TRAINED_LAYER, order.clip_skip)
        encoders = [self._encoder(suffix, layer=layer, is_normed=False) for suffix in ("", "_2")]
        layers = min(encoder.model.config.num_hidden_layers for encoder in encoders)
        made = conditioning.of_two(encoders, order.prompt, order.negative)
        if order.clip_skip > layers:
            made.notes.append(f"clip_skip is {layers}: a text encoder has no more layers")
        return made

    def _second(self, pipe: Any) -> Any:  # noqa: ANN401 - of its family
        parts = {**pipe.components, "add_watermarker": False}
        return self.image_pipeline(**parts)
