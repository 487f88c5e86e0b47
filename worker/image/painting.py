"""Pictures that start from a picture: img2img and inpainting. In the engine process only.

diffusers' own inpainting pipeline only takes autoencoders of four channels, so the part that stays
is restored here after each step, as that pipeline does (RePaint without its resampling,
arXiv:2201.09865, eq. 8).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from diffusers import StableDiffusionImg2ImgPipeline
from diffusers.utils.torch_utils import randn_tensor
from PIL import Image, ImageFilter, ImageOps

from core.wire.submit import GenerationMetadataStable
from worker import pictures
from worker.image.order import Source
from worker.image.sizes import Size
from worker.renderer import information

Blend = Callable[[StableDiffusionImg2ImgPipeline, int, dict[str, Any]], dict[str, Any]]
"""A callback of the pipeline that changes the state after a step, by the step's index."""


class FromMean(StableDiffusionImg2ImgPipeline):  # type: ignore[misc]  # untyped
    """Starts from the mean of the autoencoder's encoding, not from a sample around it.

    A sample adds noise that the strength does not ask for: very little with Stable Diffusion's
    autoencoder, but a lot with one whose variance was never trained, like the shipped one.
    """

    def prepare_latents(
        self,
        image: torch.Tensor,
        timestep: torch.Tensor,
        batch_size: int,
        num_images_per_prompt: int,
        dtype: torch.dtype,
        device: torch.device,
        generator: list[torch.Generator],
    ) -> torch.Tensor:
        """Encode the pictures, (n, 3, height, width), and noise each with its own generator."""
        del batch_size, num_images_per_prompt  # there is one picture for each generator
        latents = _mean(self, image.to(device, dtype))
        noise = randn_tensor(latents.shape, generator=generator, device=latents.device, dtype=dtype)
        return self.scheduler.add_noise(latents, noise, timestep)


@dataclass(frozen=True)
class Painting:
    """A source picture, made ready.

    start: RGB, at the size at which the model composes.
    whole: RGB, at the wanted size.
    mask: L, at the wanted size, white where it is to be repainted; None: everywhere.
    notes: what the requester should know about that.
    """

    start: Image.Image
    whole: Image.Image
    mask: Image.Image | None
    notes: tuple[GenerationMetadataStable, ...] = ()

    @classmethod
    def read(cls, source: Source, *, wanted: Size, composed: Size) -> Self:
        """Decode a source and scale it.

        It is cropped to the wanted shape; from there to the composed size and back it is stretched,
        so that kept parts stay in place. Raises CannotRender.
        """
        frame = (wanted.width, wanted.height)
        image = _fitted(pictures.read(source.picture, kind="source_image"), frame)
        mask, notes = _mask(source, image, frame)
        whole = pictures.on_white(image)
        start = whole.resize((composed.width, composed.height), Image.Resampling.LANCZOS)
        return cls(start, whole, mask, notes)

    def blender(self, pipe: StableDiffusionImg2ImgPipeline, seeds: list[int]) -> Blend:
        """A callback after each step that puts the part which stays back, noised as the rest is."""
        kept = _encoded(pipe, self.start).expand(len(seeds), -1, -1, -1)
        noise = torch.cat([_noise(kept[:1], seed) for seed in seeds])
        anew = _latent_mask(self.mask, kept)

        def blend(
            called: StableDiffusionImg2ImgPipeline, index: int, state: dict[str, Any]
        ) -> dict[str, Any]:
            times = called.scheduler.timesteps[-called.num_timesteps :]
            stays = kept
            if index + 1 < len(times):
                time = times[index + 1].repeat(len(seeds))
                stays = called.scheduler.add_noise(kept, noise, time)
            return {**state, "latents": anew * state["latents"] + (1 - anew) * stays}

        return blend

    def finished(self, made: Image.Image) -> Image.Image:
        """Scale a finished picture to the wanted size; kept parts come from the source."""
        made = made.resize(self.whole.size, Image.Resampling.LANCZOS)
        if self.mask is None:
            return made
        soft = self.mask.filter(ImageFilter.GaussianBlur(2))
        return Image.composite(made, self.whole, soft)


def _fitted(image: Image.Image, frame: tuple[int, int]) -> Image.Image:
    return ImageOps.fit(image, frame, Image.Resampling.LANCZOS)


def _mask(
    source: Source, image: Image.Image, frame: tuple[int, int]
) -> tuple[Image.Image | None, tuple[GenerationMetadataStable, ...]]:
    """Read the mask, or use the source's transparency as one. Returns it with a note.

    A mask counts whatever the source is for. Raises CannotRender if it cannot be read.
    """
    if source.mask is not None:
        mask = pictures.read(source.mask, kind="source_mask").convert("L")
        return _fitted(mask, frame), ()
    if not source.painting:
        return None, ()
    anew = ImageOps.invert(image.getchannel("A"))
    if anew.getbbox() is not None:
        return anew, ()
    if source.outwards:
        return None, (information("nothing of the source is transparent: all of it is redrawn"),)
    return anew, (information("nothing of the source is transparent: it stays as it is"),)


def _encoded(pipe: StableDiffusionImg2ImgPipeline, image: Image.Image) -> torch.Tensor:
    """Encode a picture as latents: (1, channels, height / 8 or so, width / 8 or so)."""
    return _mean(pipe, pipe.image_processor.preprocess(image).to(pipe.device, pipe.vae.dtype))


def _mean(pipe: StableDiffusionImg2ImgPipeline, pixels: torch.Tensor) -> torch.Tensor:
    return pipe.vae.encode(pixels).latent_dist.mode() * pipe.vae.config.scaling_factor


def _noise(like: torch.Tensor, seed: int) -> torch.Tensor:
    drawn = torch.randn(like.shape, generator=torch.Generator("cpu").manual_seed(seed))
    return drawn.to(like.device, like.dtype)


def _latent_mask(mask: Image.Image | None, latents: torch.Tensor) -> torch.Tensor:
    """Scale a mask to the latents' size: 1 wherever any of a latent's pixels is to be painted."""
    if mask is None:
        return torch.ones_like(latents[:1, :1])
    values = torch.from_numpy(np.asarray(mask, dtype=np.float32) / 255)
    small = torch.nn.functional.adaptive_max_pool2d(values[None, None], latents.shape[-2:])
    return (small > 0.5).to(latents.device, latents.dtype)  # noqa: PLR2004 - half white
