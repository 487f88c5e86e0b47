"""The models that are here: found by name or folder, and checked closely enough to be offered.

Reads configuration files and the headers of weights, never the weights: an incomplete download or
an unknown architecture is found before the first job, without torch.
"""

import re
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from worker.image import inspection
from worker.image.inspection import NotUsable
from worker.image.order import Checkpoint
from worker.text import gguf_files
from worker.text.order import LanguageModel

HUB_NAME: Final = re.compile(r"[\w.-]+/[\w.-]+")
HUB_FILES: Final = {
    "model_index.json": ("*.json", "*.txt", "*/*.safetensors", "*/*.model"),
    "config.json": ("*.json", "*.jinja", "*.safetensors"),
}
"""The files that are fetched of a model, by the file that marks its kind."""
__all__ = [
    "NotUsable",
    "find",
    "find_text",
    "inspect",
    "inspect_file",
    "inspect_network",
    "inspect_text",
]


def find(wanted: str, folders: Iterable[Path]) -> Checkpoint:
    """Find a diffusion model and make sure that it can be served.

    wanted: a name of a folder in one of `folders`; a folder's path; or `name=place`, where place
        is a path or a hub's `owner/model`, which is downloaded unless HF_HUB_OFFLINE is 1.

    Raises NotUsable.
    """
    name, folder = _locate(wanted, folders, "model_index.json")
    return inspect(name, folder)


def find_text(wanted: str, folders: Iterable[Path]) -> LanguageModel:
    """Find a language model as `find` finds a diffusion model; it may be a file of llama.cpp.

    Raises NotUsable.
    """
    places = list(folders)
    if (file := _gguf(wanted, places)) is not None:
        name, _, _ = wanted.rpartition("=")
        return inspect_text(name or file.stem, file)
    name, folder = _locate(wanted, places, "config.json")
    return inspect_text(name, folder)


def _gguf(wanted: str, folders: Iterable[Path]) -> Path | None:
    """Find a file in llama.cpp's format: by its path, or by its name with or without the ending."""
    _, _, place = wanted.rpartition("=")
    named = place if place.endswith(gguf_files.ENDING) else f"{place}{gguf_files.ENDING}"
    files = (Path(named).expanduser(), *(root / named for root in folders))
    return next((file.resolve() for file in files if file.is_file()), None)


def _locate(wanted: str, folders: Iterable[Path], mark: str) -> tuple[str, Path]:
    """The name and the folder of a model. mark: the file that every model of its kind has."""
    name, _, place = wanted.rpartition("=")
    for folder in (Path(place).expanduser(), *(root / place for root in folders)):
        if (folder / mark).is_file():
            return name or folder.resolve().name, folder.resolve()
    if name and HUB_NAME.fullmatch(place):
        return name, _download(place, HUB_FILES[mark])
    raise NotUsable(f"{place}: no {mark} there")


def inspect(name: str, folder: Path) -> Checkpoint:
    """Read a diffusers folder's configuration, and check that its files are complete.

    Raises NotUsable.
    """
    with _usable(folder):
        return inspection.inspect(name, folder)


def inspect_text(name: str, folder: Path) -> LanguageModel:
    """Read a language model's configuration, and check that its files are complete.

    Raises NotUsable.
    """
    with _usable(folder):
        if folder.suffix == gguf_files.ENDING:
            return gguf_files.inspect(name, folder)
        config = inspection.read(folder / "config.json")
        kinds = config.get("architectures") or []
        if not any(kind.endswith("ForCausalLM") for kind in kinds):
            raise NotUsable(
                f"{folder}: {', '.join(kinds) or 'nothing known'}, which writes no text"
            )
        inspection.read(folder / "tokenizer.json")
        inspection.check_weights(folder, "model")
        context = config["max_position_embeddings"]
        return LanguageModel(name, folder, context=context, chats=_has_template(folder))


def _has_template(folder: Path) -> bool:
    """Say whether a tokenizer has a chat template, in a file of its own or among its settings."""
    if (folder / "chat_template.jinja").is_file():
        return True
    file = folder / "tokenizer_config.json"
    return file.is_file() and bool(inspection.read(file).get("chat_template"))


def inspect_network(folder: Path, architecture: str) -> None:
    """See that a folder of the transformers library has this, whole. Raises NotUsable."""
    with _usable(folder):
        kinds = inspection.read(folder / "config.json").get("architectures") or []
        if architecture not in kinds:
            there = ", ".join(map(str, kinds)) or "nothing known"
            raise NotUsable(f"{folder}: {there}, not {architecture}")
        inspection.check_weights(folder, "model")


def inspect_file(path: Path) -> None:
    """See that a file of tensors is whole. Raises NotUsable."""
    with _usable(path):
        inspection.check_whole(path)


@contextmanager
def _usable(place: Path) -> Iterator[None]:
    """Raise NotUsable for whatever files that are not as they should be lead to."""
    try:
        yield
    except FileNotFoundError as error:
        missing = Path(error.filename or place)
        if missing.is_relative_to(place):
            missing = missing.relative_to(place)
        raise NotUsable(f"{place}: no {missing} there") from error
    except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
        raise NotUsable(f"{place}: {type(error).__name__}: {error}") from error


def _download(place: str, files: Iterable[str]) -> Path:
    """Fetch a model from the hub, or find it in the hub's local cache."""
    # Imported late, as workers that only serve local folders do not need it.
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
