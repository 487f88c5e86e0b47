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

Blend = Callable[[Any, int, dict[str, Any]], dict[str, Any]]
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
        return noised(self, image.to(device, dtype), timestep, generator)


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


def blender(
    pipe: Any,  # noqa: ANN401 - one of several pipelines
    painting: Painting,
    seeds: list[int],
) -> Blend:
    """A callback after each step that puts the part which stays back, noised as the rest is."""
    pixels = pipe.image_processor.preprocess(painting.start)
    kept = mean(pipe, pixels.to(pipe.device, pipe.vae.dtype)).expand(len(seeds), -1, -1, -1)
    noise = torch.cat([drawn(kept[:1], seed) for seed in seeds])
    anew = latent_mask(painting.mask, kept)

    def blend(
        called: Any,  # noqa: ANN401 - the same
        index: int,
        state: dict[str, Any],
    ) -> dict[str, Any]:
        times = called.scheduler.timesteps[-called.num_timesteps :]
        stays = kept
        if index + 1 < len(times):
            time = times[index + 1].repeat(len(seeds))
            stays = called.scheduler.add_noise(kept, noise, time)
        return {**state, "latents": anew * state["latents"] + (1 - anew) * stays}

    return blend


def mean(pipe: Any, pixels: torch.Tensor) -> torch.Tensor:  # noqa: ANN401 - one of several
    """Encode pictures as latents, in 32 bits where the autoencoder needs that."""
    vae, dtype = pipe.vae, pixels.dtype
    if needs_more := dtype == torch.float16 and vae.config.get("force_upcast", False):
        vae.to(dtype=torch.float32)
        pixels = pixels.float()
    latents = vae.encode(pixels).latent_dist.mode().to(dtype)
    if needs_more:
        vae.to(dtype=dtype)
    means, deviations = (vae.config.get(f"latents_{name}") for name in ("mean", "std"))
    if means is not None and deviations is not None:
        latents = (latents - _by_channel(means, latents)) / _by_channel(deviations, latents)
    return (latents - (vae.config.get("shift_factor") or 0.0)) * vae.config.scaling_factor


def drawn(like: torch.Tensor, seed: int) -> torch.Tensor:
    """Noise of the same shape, by its seed."""
    noise = torch.randn(like.shape, generator=torch.Generator("cpu").manual_seed(seed))
    return noise.to(like.device, like.dtype)


def latent_mask(mask: Image.Image | None, latents: torch.Tensor) -> torch.Tensor:
    """Scale a mask to the latents' size: 1 wherever any of a latent's pixels is to be painted."""
    if mask is None:
        return torch.ones_like(latents[:1, :1])
    values = torch.from_numpy(np.asarray(mask, dtype=np.float32) / 255)
    small = torch.nn.functional.adaptive_max_pool2d(values[None, None], latents.shape[-2:])
    return (small > 0.5).to(latents.device, latents.dtype)  # noqa: PLR2004 - half white


def noised(
    pipe: Any,  # noqa: ANN401 - one of several pipelines
    pixels: torch.Tensor,
    timestep: torch.Tensor,
    generators: list[torch.Generator],
) -> torch.Tensor:
    """Encode pictures, (n, 3, height, width), and noise each with its own generator."""
    latents = mean(pipe, pixels)
    noise = randn_tensor(
        latents.shape, generator=generators, device=latents.device, dtype=latents.dtype
    )
    return pipe.scheduler.add_noise(latents, noise, timestep)


def _by_channel(values: list[float], latents: torch.Tensor) -> torch.Tensor:
    return torch.tensor(values, device=latents.device, dtype=latents.dtype).view(1, -1, 1, 1)
