"""Looks at diffusers folders, without torch: what they are, and whether they are whole."""

import json
import math
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Self
from zipfile import is_zipfile

from worker import upscaler
from worker.image.order import Checkpoint

INDEX: Final = "model_index.json"
MAX_HEADER_BYTES: Final = 100_000_000
"""Limit of the format itself (https://github.com/huggingface/safetensors)."""
DIFFUSION, TRANSFORMERS = "diffusion_pytorch_model", "model"
"""What weights are called in parts of the two libraries."""
SEEING: Final = "prior_image_encoder"
"""The part of Stable Cascade that sees pictures."""
VARIANTS: Final = (None, "fp16")
TEXT_ONLY: Final = frozenset({"cascade"})
"""Families that cannot start from pictures."""


class NotUsable(Exception):
    """A model cannot be offered; the text says why."""


@dataclass(frozen=True)
class Family:
    """Models of one architecture.

    name: by which the engine knows what loads them.
    parts: subfolders with weights, and what these are called there.
    tokenizers: subfolders.
    measured: gives native side and multiple, by the folder.
    optional: further parts, which need not be there.
    """

    name: str
    parts: Mapping[str, str]
    tokenizers: tuple[str, ...]
    measured: Callable[[Path], tuple[int, int]]
    optional: Mapping[str, str] = field(default_factory=dict)

    def of(self, folder: Path) -> Self:
        """The same with the optional parts that a folder has."""
        here = {part: name for part, name in self.optional.items() if (folder / part).is_dir()}
        return replace(self, parts={**self.parts, **here})


LAYERS: Final = "layers.toml"
OWN: Final = "horde.json"
"""What a model's folder may say beside what diffusers wants: `square_only`, `plain_ground`,
`harmless`,
`layered`."""


def inspect(name: str, folder: Path) -> Checkpoint:
    """Read what a diffusers folder says about itself, and check that its files are whole.

    Raises NotUsable, and OSError, ValueError, KeyError, TypeError and struct.error where the files
    are none of the kind.
    """
    kind = read(folder / INDEX)["_class_name"]
    family = FAMILIES.get(kind)
    if family is None:
        raise NotUsable(f"{folder}: a {kind}, which this worker does not serve")
    family = family.of(folder)
    for part in family.parts:
        read(folder / part / "config.json")
    for tokenizer in family.tokenizers:
        _check_tokenizer(folder / tokenizer)
    read(folder / "scheduler" / "scheduler_config.json")
    variant, is_safe = _weights(folder, family)
    native, multiple = family.measured(folder)
    enlarger = upscaler.of_model(folder)
    if enlarger is not None:
        check_whole(enlarger.folder)
    own = read(folder / OWN) if (folder / OWN).is_file() else {}
    vocabulary = folder / "vocabulary.json"
    return Checkpoint(
        name,
        folder,
        native=native,
        multiple=multiple,
        enlarger=enlarger,
        family=family.name,
        variant=variant,
        is_safe=is_safe,
        megabytes=_megabytes(folder, family, variant, is_safe=is_safe),
        vocabulary=vocabulary if vocabulary.is_file() else None,
        layers=folder / LAYERS if own.get("layered") is True else None,
        square_only=own.get("square_only") is True,
        harmless=own.get("harmless") is True,
        paints=_paints(folder, family),
        remixes=SEEING in family.parts,
        plain_ground=own.get("plain_ground") is True,
    )


def check_weights(folder: Path, name: str) -> str | None:
    """See that a part's safetensors are whole, and say of which variant they are.

    Raises as `inspect` does.
    """
    missing: Exception | None = None
    for variant in VARIANTS:
        try:
            for path in _files(folder, name, variant, is_safe=True):
                check_whole(path)
        except FileNotFoundError as error:
            missing = missing or error
        else:
            return variant
    raise missing or NotUsable(f"{folder}: no weights")


def check_whole(path: Path) -> None:
    """Compare a safetensors file's length with what its header promises. Raises as `inspect`."""
    if path.suffix != ".safetensors":
        if not is_zipfile(path):
            raise NotUsable(f"{path}: not a whole archive of tensors")
        return
    tensors(path)


def tensors(path: Path) -> dict[str, Any]:
    """Read which tensors a safetensors file has, by name, and see that it has all of them.

    Raises as `inspect` does.
    """
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        if length > MAX_HEADER_BYTES:
            raise NotUsable(f"{path}: not a safetensors file")
        told = json.loads(file.read(length))
    if not isinstance(told, dict):
        raise NotUsable(f"{path}: not a safetensors file")
    told.pop("__metadata__", None)
    promised = 8 + length + max((one["data_offsets"][1] for one in told.values()), default=0)
    if path.stat().st_size != promised:
        raise NotUsable(f"{path}: {path.stat().st_size} bytes of {promised}")
    return told


def read(path: Path) -> dict[str, Any]:
    """Read a JSON object. Raises NotUsable."""
    found = json.loads(path.read_bytes())
    if not isinstance(found, dict):
        raise NotUsable(f"{path}: not a JSON object")
    return found


def _weights(folder: Path, family: Family) -> tuple[str | None, bool]:
    """Say which of the folder's weights are to be loaded: of which variant, and how stored.

    Many downloads have but one variant, or the older format: whichever is there for all parts.
    """
    missing: Exception | None = None
    for is_safe in (True, False):
        for variant in VARIANTS:
            try:
                for path in _all_files(folder, family, variant, is_safe=is_safe):
                    check_whole(path)
            except FileNotFoundError as error:
                missing = missing or error
            else:
                return variant, is_safe
    raise missing or NotUsable(f"{folder}: no weights")


def _all_files(
    folder: Path, family: Family, variant: str | None, *, is_safe: bool
) -> Iterator[Path]:
    for part, name in family.parts.items():
        yield from _files(folder / part, name, variant, is_safe=is_safe)


def _files(folder: Path, name: str, variant: str | None, *, is_safe: bool) -> Iterator[Path]:
    """Give a part's files of weights. Raises FileNotFoundError where there are none."""
    if not is_safe and name == TRANSFORMERS:
        name = "pytorch_model"
    ending = "safetensors" if is_safe else "bin"
    middle = f".{variant}" if variant else ""
    single = folder / f"{name}{middle}.{ending}"
    for index in (
        folder / f"{name}.{ending}.index{middle}.json",
        folder / f"{name}{middle}.{ending}.index.json",
    ):
        if index.is_file():
            yield from (folder / shard for shard in set(read(index)["weight_map"].values()))
            return
    if not single.is_file():
        raise FileNotFoundError(2, "No such file", str(single))
    yield single


def _megabytes(folder: Path, family: Family, variant: str | None, *, is_safe: bool) -> int:
    files = _all_files(folder, family, variant, is_safe=is_safe)
    return math.ceil(sum(path.stat().st_size for path in files) / 2**20)


def _check_tokenizer(folder: Path) -> None:
    if not any((folder / name).is_file() for name in ("tokenizer.json", "spiece.model")):
        read(folder / "vocab.json")


def _of_unet(folder: Path) -> tuple[int, int]:
    """Measure a model whose denoiser is a U-Net of latents."""
    unet, vae = read(folder / "unet" / "config.json"), read(folder / "vae" / "config.json")
    if unet["in_channels"] not in {vae["latent_channels"], _beside(vae)}:
        raise NotUsable(f"{folder}: its denoiser takes more than a picture, and no mask")
    scale = 2 ** (len(vae["block_out_channels"]) - 1)  # pixels of a latent's side
    side = unet["sample_size"]
    if not isinstance(side, int):
        side = round(math.sqrt(math.prod(side)))
    halvings = len(unet["block_out_channels"]) - 1
    return side * scale, scale * 2**halvings


def _paints(folder: Path, family: Family) -> bool:
    """Whether a model was made for inpainting."""
    if "unet" not in family.parts:
        return False
    unet, vae = read(folder / "unet" / "config.json"), read(folder / "vae" / "config.json")
    return bool(unet["in_channels"] == _beside(vae))


def _beside(vae: Mapping[str, Any]) -> int:
    """How many channels a denoiser takes that sees a mask and what is to stay."""
    return 2 * int(vae["latent_channels"]) + 1


def _of_patches(folder: Path) -> tuple[int, int]:
    """Measure a transformer over patches of 2 x 2 latents, of pictures of a megapixel."""
    vae = read(folder / "vae" / "config.json")
    scale = 2 ** (len(vae["block_out_channels"]) - 1)
    side = vae.get("sample_size", MEGAPIXEL_SIDE)
    return min(MEGAPIXEL_SIDE, side if isinstance(side, int) else MEGAPIXEL_SIDE), 2 * scale


def _of_cascade(_: Path) -> tuple[int, int]:
    """Measure a Stable Cascade, which is made for a megapixel."""
    return MEGAPIXEL_SIDE, CASCADE_MULTIPLE


MEGAPIXEL_SIDE: Final = 1024
CASCADE_MULTIPLE: Final = 128
UNET: Final = {"unet": DIFFUSION, "vae": DIFFUSION, "text_encoder": TRANSFORMERS}
STABLE_DIFFUSION: Final = Family("sd", UNET, ("tokenizer",), _of_unet)
XL: Final = Family(
    "sdxl", {**UNET, "text_encoder_2": TRANSFORMERS}, ("tokenizer", "tokenizer_2"), _of_unet
)
FAMILIES: Final[Mapping[str, Family]] = {
    "StableDiffusionPipeline": STABLE_DIFFUSION,
    "StableDiffusionInpaintPipeline": STABLE_DIFFUSION,
    "StableDiffusionXLPipeline": XL,
    "StableDiffusionXLInpaintPipeline": XL,
    "FluxPipeline": Family(
        "flux",
        {
            "transformer": DIFFUSION,
            "vae": DIFFUSION,
            "text_encoder": TRANSFORMERS,
            "text_encoder_2": TRANSFORMERS,
        },
        ("tokenizer", "tokenizer_2"),
        _of_patches,
    ),
    "ZImagePipeline": Family(
        "zimage",
        {"transformer": DIFFUSION, "vae": DIFFUSION, "text_encoder": TRANSFORMERS},
        ("tokenizer",),
        _of_patches,
    ),
    "StableCascadeCombinedPipeline": Family(
        "cascade",
        {
            "decoder": DIFFUSION,
            "vqgan": DIFFUSION,
            "text_encoder": TRANSFORMERS,
            "prior_prior": DIFFUSION,
            "prior_text_encoder": TRANSFORMERS,
        },
        ("tokenizer", "prior_tokenizer"),
        _of_cascade,
        {SEEING: TRANSFORMERS},
    ),
}
"""By the class that a folder's index names."""
