"""The kinds of models, by what they may be: folders, single files, or either."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from worker import models, upscaler, vision
from worker.faces import fixer
from worker.image import control
from worker.renderer import Model


@dataclass(frozen=True)
class FolderKind:
    """A kind of model.

    setting: which setting names the models that are wanted; empty where all that are here are.
    inspect: looks at a folder. Raises NotUsable.
    is_pipeline: whether it is made for the diffusers library, which a single file can be, too.
    """

    setting: str
    inspect: Callable[[str, Path], object]
    is_pipeline: bool


def _inspect_detector(name: str, folder: Path) -> Model:
    """See that a folder has all that finds faces. Raises NotUsable."""
    if name != fixer.DETECTOR or not fixer.is_detector(folder):
        files = ", ".join(fixer.DETECTOR_FILES)
        raise models.NotUsable(f"{fixer.DETECTOR} finds faces, of a folder with {files}")
    return Model(name, folder)


FOLDERS: Final[Mapping[str, FolderKind]] = {
    "image": FolderKind("models", models.inspect, is_pipeline=True),
    "text": FolderKind("text_models", models.inspect_text, is_pipeline=False),
    "vision": FolderKind("", vision.inspect, is_pipeline=False),
    "controlnet": FolderKind("", control.inspect, is_pipeline=False),
    "face_detector": FolderKind("", _inspect_detector, is_pipeline=False),
}
FILES: Final[Mapping[str, tuple[str, ...]]] = {
    "upscaler": upscaler.ENDINGS,
    "face_fixer": upscaler.ENDINGS,
    "controlnet": (".safetensors",),
    "matte": (".onnx",),
    "text": (".gguf",),
}
"""The kinds of which a single file is served as it is, with the endings of its name.

Of a `.pth` nothing but tensors is read; an `.onnx` says what is to be calculated, and can do
nothing else. Texts are also written by folders.
"""


def is_pipeline(kind: str) -> bool:
    """Whether models of this kind are made for the diffusers library."""
    return kind in FOLDERS and FOLDERS[kind].is_pipeline
