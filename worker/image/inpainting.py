"""Models that were made for inpainting. In the engine process only: uses torch.

Their denoisers see, beside the latents, which part is to be painted and what is to stay. So that
all else can be as it is with other models, that is put beside the latents here, as they come to the
denoiser; where nothing is to stay, it sees an empty picture of which all is to be painted.
"""

from typing import Any, Final

import numpy as np
import torch
from PIL import Image

from worker.image import painting
from worker.image.painting import Painting

HALF: Final = 0.5
"""White enough to be painted."""


class Beside:
    """What a denoiser sees beside the latents. pipe: its pipeline."""

    def __init__(self, pipe: Any) -> None:  # noqa: ANN401 - of its family
        self._pipe = pipe
        self._seen: torch.Tensor | None = None
        self._empty: torch.Tensor | None = None
        # Pipelines take this for the number of channels that a picture has.
        pipe.unet.register_to_config(in_channels=pipe.vae.config.latent_channels)
        pipe.unet.register_forward_pre_hook(self._added)

    def show(self, source: Painting | None) -> None:
        """From now on, let it see a source and its mask; None: that there is nothing."""
        self._seen = None
        if source is not None and source.mask is not None:
            mask = source.mask.resize(source.start.size, Image.Resampling.BILINEAR)
            stays = torch.from_numpy(np.asarray(mask, dtype=np.float32) / 255) < HALF
            pixels = self._pipe.image_processor.preprocess(source.start)
            latents = self._encoded(pixels * stays)
            self._seen = torch.cat([painting.latent_mask(source.mask, latents), latents], dim=1)

    def _added(self, _: torch.nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...]:
        """Put it beside the latents that the denoiser is called with: (n, channels, h, w)."""
        latents, *rest = given
        seen = self._nothing(latents) if self._seen is None else self._seen
        seen = seen.to(latents.device, latents.dtype).expand(len(latents), -1, -1, -1)
        return torch.cat([latents, seen], dim=1), *rest

    def _nothing(self, latents: torch.Tensor) -> torch.Tensor:
        """Give what it sees where nothing is to stay."""
        if self._empty is None or self._empty.shape[-2:] != latents.shape[-2:]:
            height, width = (side * self._pipe.vae_scale_factor for side in latents.shape[-2:])
            grey = self._encoded(torch.zeros(1, 3, height, width))
            self._empty = torch.cat([torch.ones_like(grey[:, :1]), grey], dim=1)
        return self._empty

    def _encoded(self, pixels: torch.Tensor) -> torch.Tensor:
        vae = self._pipe.vae
        return painting.mean(self._pipe, pixels.to(vae.device, vae.dtype))
