"""Which models are here: found by name or folder, and looked at closely enough to be offered.

Reads configuration files and the headers of weights, never the weights: a download that was cut off
or an architecture that the renderer does not serve is found before the first job, without torch.
"""

import json
import math
import re
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from worker import upscaler
from worker.image.order import Checkpoint
from worker.text.order import LanguageModel

PIPELINE: Final = "StableDiffusionPipeline"
HUB_NAME: Final = re.compile(r"[\w.-]+/[\w.-]+")
HUB_FILES: Final = {
    "model_index.json": ("*.json", "*.txt", "*/*.safetensors"),
    "config.json": ("*.json", "*.safetensors"),
}
"""What is fetched of a model, by the file that marks its kind."""
OWN: Final = "horde.json"
"""What a model's folder may say of it beside what diffusers wants: `square_only`."""
MAX_HEADER_BYTES: Final = 100_000_000
"""Limit of the format itself (https://github.com/huggingface/safetensors)."""


class NotUsable(Exception):
    """A model cannot be offered; the text says why."""


def find(wanted: str, folders: Iterable[Path]) -> Checkpoint:
    """Find a diffusion model and make sure that it can be served.

    wanted: a name of a folder in one of `folders`; a folder's path; or `name=place`, where place
        is a path or a hub's `owner/model`, which is downloaded unless HF_HUB_OFFLINE is 1.

    Raises NotUsable.
    """
    name, folder = _locate(wanted, folders, "model_index.json")
    return inspect(name, folder)


def find_text(wanted: str, folders: Iterable[Path]) -> LanguageModel:
    """Find a language model as `find` finds a diffusion model. Raises NotUsable."""
    name, folder = _locate(wanted, folders, "config.json")
    return inspect_text(name, folder)


def _locate(wanted: str, folders: Iterable[Path], mark: str) -> tuple[str, Path]:
    """Give the name and the folder of a model; mark: the file that every one of its kind has."""
    name, _, place = wanted.rpartition("=")
    for folder in (Path(place).expanduser(), *(root / place for root in folders)):
        if (folder / mark).is_file():
            return name or folder.resolve().name, folder.resolve()
    if name and HUB_NAME.fullmatch(place):
        return name, _download(place, HUB_FILES[mark])
    raise NotUsable(f"{place}: no {mark} there")


def inspect(name: str, folder: Path) -> Checkpoint:
    """Read what a diffusers folder says about itself, and check that its files are whole.

    Raises NotUsable.
    """
    try:
        return _inspect(name, folder)
    except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
        raise NotUsable(f"{folder}: {type(error).__name__}: {error}") from error


def inspect_text(name: str, folder: Path) -> LanguageModel:
    """Read what a language model's folder says about itself, and check that its files are whole.

    Raises NotUsable.
    """
    try:
        config = _json(folder / "config.json")
        kinds = config.get("architectures") or []
        if not any(kind.endswith("ForCausalLM") for kind in kinds):
            raise NotUsable(
                f"{folder}: {', '.join(kinds) or 'nothing known'}, which writes no text"
            )
        _json(folder / "tokenizer.json")
        _check_weights(folder, "model")
        return LanguageModel(name, folder, context=config["max_position_embeddings"])
    except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
        raise NotUsable(f"{folder}: {type(error).__name__}: {error}") from error


def _inspect(name: str, folder: Path) -> Checkpoint:
    kind = _json(folder / "model_index.json")["_class_name"]
    if kind != PIPELINE:
        raise NotUsable(f"{folder}: a {kind}, which this worker does not serve")
    for part, weights in (
        ("unet", "diffusion_pytorch_model"),
        ("vae", "diffusion_pytorch_model"),
        ("text_encoder", "model"),
    ):
        _check_weights(folder / part, weights)
    _json(folder / "scheduler" / "scheduler_config.json")
    tokenizer = folder / "tokenizer"
    if not (tokenizer / "tokenizer.json").is_file():
        _json(tokenizer / "vocab.json")
    unet, vae = _json(folder / "unet" / "config.json"), _json(folder / "vae" / "config.json")
    if unet["in_channels"] != vae["latent_channels"]:
        raise NotUsable(f"{folder}: its denoiser takes more than a picture")
    scale = 2 ** (len(vae["block_out_channels"]) - 1)  # pixels of a latent's side
    side = unet["sample_size"]
    if not isinstance(side, int):
        side = round(math.sqrt(math.prod(side)))
    halvings = len(unet["block_out_channels"]) - 1
    enlarger = upscaler.of_model(folder)
    if enlarger is not None:
        _check_whole(enlarger.folder)
    vocabulary = folder / "vocabulary.json"
    return Checkpoint(
        name,
        folder,
        native=side * scale,
        multiple=scale * 2**halvings,
        enlarger=enlarger,
        vocabulary=vocabulary if vocabulary.is_file() else None,
        square_only=(folder / OWN).is_file() and _json(folder / OWN).get("square_only") is True,
    )


def _check_weights(folder: Path, name: str) -> None:
    _json(folder / "config.json")
    index = folder / f"{name}.safetensors.index.json"
    if index.is_file():
        for shard in set(_json(index)["weight_map"].values()):
            _check_whole(folder / shard)
    else:
        _check_whole(folder / f"{name}.safetensors")


def _check_whole(path: Path) -> None:
    """Compare a safetensors file's length with what its header promises."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        if length > MAX_HEADER_BYTES:
            raise NotUsable(f"{path}: not a safetensors file")
        header = json.loads(file.read(length))
    ends = [entry["data_offsets"][1] for key, entry in header.items() if key != "__metadata__"]
    promised = 8 + length + max(ends, default=0)
    if path.stat().st_size != promised:
        raise NotUsable(f"{path}: {path.stat().st_size} bytes of {promised}")


def _json(path: Path) -> dict[str, Any]:
    read = json.loads(path.read_bytes())
    if not isinstance(read, dict):
        raise NotUsable(f"{path}: no JSON object")
    return read


def _download(place: str, files: Iterable[str]) -> Path:
    """Fetch a model from the hub, or find it in the hub's local cache."""
    # Late, because it is needed by nobody who serves local folders.
    from huggingface_hub import snapshot_download  # noqa: PLC0415
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError  # noqa: PLC0415

    try:
        return Path(
            snapshot_download(
                place, allow_patterns=list(files), ignore_patterns=["*.fp16.safetensors"]
            )
        )
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        raise NotUsable(f"{place}: neither here nor to be had from the hub") from error
