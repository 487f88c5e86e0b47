"""Orders for pictures, and their results; see `worker.renderer`."""

from dataclasses import dataclass
from pathlib import Path

from core.wire.submit import GenerationMetadataStable
from worker.post_processing import PostProcessor
from worker.renderer import Model, Order, Picture
from worker.upscaler import Upscaler


@dataclass(frozen=True)
class Checkpoint(Model):
    """A diffusion model.

    folder: where its diffusers files are.
    native: pixels of a side of the square pictures it was trained on.
    multiple: pixels; each side of its pictures is a multiple of this.
    enlarger: a network of its own for pictures that are asked for larger than it makes them.
    family: of its architecture; see `worker.image.inspection`.
    variant: of its weights, as files are named for it; None: the plain ones.
    is_safe: whether the weights are safetensors, not the older archives of tensors.
    megabytes: of its weights on disk.
    vocabulary: file of the words it knows; None: it takes any.
    layers: file that says how its pictures of several things are put together (`layering`); None:
        it draws any prompt as a whole.
    square_only: whether it has seen no pictures of another shape: their ground is continued.
    harmless: whether it cannot make what is unsafe for work.
    paints: whether it was made for inpainting: its denoiser sees what is to stay.
    remixes: whether it can take pictures as parts of a prompt.
    plain_ground: whether it draws things on a plain ground, which can be taken away.
    """

    native: int
    multiple: int
    enlarger: Upscaler | None = None
    family: str = "sd"
    variant: str | None = None
    is_safe: bool = True
    megabytes: int = 0
    vocabulary: Path | None = None
    layers: Path | None = None
    square_only: bool = False
    harmless: bool = False
    paints: bool = False
    remixes: bool = False
    plain_ground: bool = False


@dataclass(frozen=True)
class Source:
    """A picture to start from.

    picture: an encoded picture (WebP, PNG, …), as downloaded.
    mask: an encoded picture, white where the picture is to be repainted, or None.
    painting: whether the transparent part is repainted if there is no mask.
    outwards: whether all of it is repainted if there is no transparent part either.
    """

    picture: bytes
    mask: bytes | None = None
    painting: bool = False
    outwards: bool = False


@dataclass(frozen=True)
class Reference:
    """A picture whose looks and things a remix is to have.

    picture: encoded. strength: how strongly it counts, 1 as it is.
    """

    picture: bytes
    strength: float = 1.0


@dataclass(frozen=True)
class ControlNetwork:
    """A network that holds a model to a map.

    control_types: the contract's words for what its maps show.
    place: a diffusers folder, or one file of tensors.
    fits: what it must have in common with a model's denoiser, in words of its own.
    variant: of a folder's weights, as files are named for it; None: the plain ones.
    megabytes: of its weights on disk.
    """

    control_types: frozenset[str]
    place: Path
    fits: str
    variant: str | None = None
    megabytes: int = 0


@dataclass(frozen=True)
class Control:
    """A picture whose lines, depth or pose is kept, and nothing else of it.

    picture: encoded. is_map: whether it is what the network is to be shown already.
    network: None where nothing but the map is wanted.
    strength: how strongly the network holds to it.
    code: what a QR code says that is the map, in place of a picture.
    """

    control_type: str
    picture: bytes
    network: ControlNetwork | None
    is_map: bool = False
    strength: float = 1.0
    code: str = ""


@dataclass(frozen=True)
class Adaptation:
    """A low-rank adaptation (LoRA) to apply.

    file: its safetensors. model, clip: how strongly the denoiser and the text encoders are adapted.
    """

    name: str
    file: Path
    model: float = 1.0
    clip: float = 1.0


@dataclass(frozen=True)
class Word:
    """A learned word (textual inversion) that prompts may have, as `embedding:name`."""

    name: str
    file: Path


@dataclass(frozen=True)
class Rendered:
    """The pictures of an order, in the order of its seeds, and what the requester should know.

    blank: how many of them have but one colour.
    held_back: by their places, those that stand for pictures which are unsafe for work.
    """

    pictures: tuple[Picture, ...]
    notes: tuple[GenerationMetadataStable, ...] = ()
    blank: int = 0
    held_back: frozenset[int] = frozenset()


@dataclass(frozen=True)
class PictureOrder(Order[Rendered]):
    """Pictures that differ only in their seeds.

    prompt, negative: with A1111 weights (`worker.image.prompts`).
    width, height: pixels, any size from 1.
    clip_skip: 1 is the text encoder's last layer.
    strength: 0 to 1, how much of a source picture is redrawn.
    control: what it is held to, or, without a network, what a map is to be drawn of.
    references: the pictures of a remix.
    transparent: whether nothing is to be behind the thing.
    hires_strength: 0 to 1, how much of the enlarged picture is redrawn; None: no hires fix.
    seeds: 0 to 2**32 - 1, one for each picture.
    enlarger: the network that scales beyond the model's size; None: Lanczos' filter.
    processors: applied to each finished picture, in this order.
    exact: whether it is made at this very size, however good the model is at it.
    checker: looks at each picture, and unsafe ones are held back; None: nobody does.
    adaptations, words: what the model is adapted by, and what it is to know.
    notes: what the requester should know already.
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
    control: Control | None = None
    references: tuple[Reference, ...] = ()
    transparent: bool = False
    strength: float = 1.0
    enlarger: Upscaler | None = None
    processors: tuple[PostProcessor, ...] = ()
    exact: bool = False
    checker: Model | None = None
    adaptations: tuple[Adaptation, ...] = ()
    words: tuple[Word, ...] = ()
    notes: tuple[GenerationMetadataStable, ...] = ()

    @property
    def model(self) -> Checkpoint:
        """The model that makes it."""
        return self.checkpoint

    @property
    def is_pure(self) -> bool:
        """Whether its model alone is to blame for what cannot be computed of it."""
        is_controlled = self.control is not None and self.control.network is not None
        return not (is_controlled or self.adaptations or self.words or self.references)
