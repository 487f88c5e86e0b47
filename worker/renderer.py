"""What a renderer is asked for and gives back: the border between control process and engine.

Everything here travels between the two processes, so it is small and plain; torch is not known.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.wire.submit import GenerationMetadataStable


@dataclass(frozen=True)
class Checkpoint:
    """A model that is whole on disk.

    name: the name it is offered under.
    folder: where its diffusers files are.
    native: pixels of a side of the square pictures it was trained on.
    multiple: pixels; each side of a picture it makes is a multiple of it.
    """

    name: str
    folder: Path
    native: int
    multiple: int


@dataclass(frozen=True)
class Source:
    """A picture to start from.

    picture: an encoded picture (WebP, PNG, …), as downloaded.
    mask: an encoded picture of what is to be painted anew (white), or None.
    painting: whether only the masked part is painted; without a mask, the transparent part.
    """

    picture: bytes
    mask: bytes | None = None
    painting: bool = False


@dataclass(frozen=True)
class Order:
    """Pictures that differ in nothing but their seed.

    prompt, negative: with A1111 weights (`worker.prompts`).
    width, height: pixels, any size from 1.
    clip_skip: 1 is the text encoder's last layer.
    strength: 0 to 1, how much of a source picture is redrawn.
    hires_strength: 0 to 1, how much of the enlarged picture is redrawn; None: no hires fix.
    seeds: 0 to 2**32 - 1, one a picture.
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


@dataclass(frozen=True)
class Picture:
    """A finished picture. rgb: height x width x 3 bytes, by rows."""

    width: int
    height: int
    rgb: bytes


@dataclass(frozen=True)
class Rendered:
    """The pictures of an order, in the order of its seeds, and what the requester should know."""

    pictures: tuple[Picture, ...]
    notes: tuple[GenerationMetadataStable, ...] = ()


class CannotRender(Exception):
    """This order cannot be served, by its own fault; the next one may well be.

    notes: what the requester is told about it.
    """

    def __init__(self, reason: str, notes: tuple[GenerationMetadataStable, ...] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.notes = notes


class CannotLoad(Exception):
    """The model's files cannot be used."""


OnStep = Callable[[int, int], None]
"""Called after each step with its number (from 1) and how many there will be."""


class Renderer(Protocol):
    """Makes pictures, in the engine process."""

    device: str
    """What it renders on: `cpu`, `cuda`, `mps`."""

    def load(self, checkpoint: Checkpoint) -> None:
        """Have a model ready; what was loaded before may go. Raises CannotLoad."""

    def render(self, order: Order, on_step: OnStep) -> Rendered:
        """Make the pictures of an order for the loaded model. Raises CannotRender."""


def information(text: str) -> GenerationMetadataStable:
    """A note about a picture in words (at most 255 characters)."""
    return GenerationMetadataStable(type="information", value="see_ref", ref=text[:255])
