"""What pictures are ordered with, and how they come back; see `worker.renderer`."""

from dataclasses import dataclass
from pathlib import Path

from core.wire.submit import GenerationMetadataStable
from worker.renderer import Model, Order, Picture
from worker.upscaler import Upscaler


@dataclass(frozen=True)
class Checkpoint(Model):
    """A diffusion model.

    folder: where its diffusers files are.
    native: pixels of a side of the square pictures it was trained on.
    multiple: pixels; each side of a picture it makes is a multiple of it.
    enlarger: a network of its own for pictures that are asked for larger than it makes them.
    vocabulary: file of the words it knows; None: it takes any.
    square_only: whether it has seen no pictures of another shape: their ground is continued.
    """

    native: int
    multiple: int
    enlarger: Upscaler | None = None
    vocabulary: Path | None = None
    square_only: bool = False


@dataclass(frozen=True)
class Source:
    """A picture to start from.

    picture: an encoded picture (WebP, PNG, …), as downloaded.
    mask: an encoded picture of what is to be painted anew (white), or None.
    painting: whether the transparent part is painted anew where there is no mask.
    outwards: whether all of it is, where there is no transparent part either.
    """

    picture: bytes
    mask: bytes | None = None
    painting: bool = False
    outwards: bool = False


@dataclass(frozen=True)
class Rendered:
    """The pictures of an order, in the order of its seeds, and what the requester should know."""

    pictures: tuple[Picture, ...]
    notes: tuple[GenerationMetadataStable, ...] = ()


@dataclass(frozen=True)
class PictureOrder(Order[Rendered]):
    """Pictures that differ in nothing but their seed.

    prompt, negative: with A1111 weights (`worker.image.prompts`).
    width, height: pixels, any size from 1.
    clip_skip: 1 is the text encoder's last layer.
    strength: 0 to 1, how much of a source picture is redrawn.
    hires_strength: 0 to 1, how much of the enlarged picture is redrawn; None: no hires fix.
    seeds: 0 to 2**32 - 1, one a picture.
    enlarger: what makes a picture larger than the model can; None: Lanczos' filter.
    upscalers: what each finished picture goes through, in this order.
    """

    checkpoint: Checkpoint
    prompt: str
    negative: str
    width: int
    height: int
    steps: int
    cfg_scale: float
    sampler: str
    karras: bool
    seeds: tuple[int, ...]
    clip_skip: int = 1
    tiling: bool = False
    hires_strength: float | None = None
    source: Source | None = None
    strength: float = 1.0
    enlarger: Upscaler | None = None
    upscalers: tuple[Upscaler, ...] = ()

    @property
    def model(self) -> Checkpoint:
        """Who makes it."""
        return self.checkpoint
