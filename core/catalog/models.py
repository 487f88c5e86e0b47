"""The model reference: names, baselines and requirements of known models, from a file."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

DEFAULT_BASELINE = "stable diffusion 1"
NAMED_BASELINES = {
    "[SDXL]": "stable_diffusion_xl",
    "[Flux]": "flux_1",
    "[Qwen]": "qwen_image",
    "[ZModel]": "z_image_turbo",
    "[ZImage]": "z_image_turbo",
}
"""What a custom model's name says about its baseline."""


@dataclass(frozen=True, slots=True)
class ImageModel:
    """A model that makes pictures."""

    name: str
    baseline: str = DEFAULT_BASELINE
    nsfw: bool = False
    inpainting: bool = False
    description: str = ""
    requirements: dict[str, Any] = field(default_factory=dict)
    """Of clip_skip, min_steps, max_steps, cfg_scale, min_cfg_scale, max_cfg_scale, samplers,
    schedulers."""

    @property
    def most_steps(self) -> int:
        """Steps that it takes without kudos in advance."""
        return int(self.requirements.get("max_steps", 40))


@dataclass(frozen=True, slots=True)
class TextModel:
    """A model that writes."""

    name: str
    billions: float
    """Parameters, in thousands of millions."""
    nsfw: bool = False
    description: str = ""


@cache
def known() -> dict[str, ImageModel]:
    """All models of the reference by name."""
    text = resources.files("core.catalog").joinpath("reference.json").read_text("utf-8")
    models = (ImageModel(**entry) for entry in json.loads(text)["image"])
    return {model.name: model for model in models}


def image_model(name: str) -> ImageModel:
    """The known model, or what can be said about an unknown one from its name."""
    if (model := known().get(name)) is not None:
        return model
    for mark, baseline in NAMED_BASELINES.items():
        if mark in name:
            return ImageModel(name, baseline)
    return ImageModel(name)


@cache
def known_texts() -> dict[str, TextModel]:
    """All text models of the reference by name."""
    text = resources.files("core.catalog").joinpath("reference.json").read_text("utf-8")
    models = (TextModel(**entry) for entry in json.loads(text).get("text", ()))
    return {model.name: model for model in models}


QUANTISATION = re.compile(
    r"[.\-_](?:i1-)?(?:I?Q\d\w*|[BF]P?16|F32|\d\.?\d*bpw|GPTQ|AWQ|GGUF|EXL\d)$", re.IGNORECASE
)


def text_model(name: str) -> TextModel | None:
    """The known model, also by a name that ends with its host or its quantisation."""
    name = name.partition("::")[0]
    while (model := known_texts().get(name)) is None and (tail := QUANTISATION.search(name)):
        name = name[: tail.start()]
    return model


def most_billions(names: Iterable[str]) -> float | None:
    """Size of the largest known text model of these, None where none is known."""
    known = (text_model(name) for name in names)
    return max((model.billions for model in known if model is not None), default=None)


def baselines(names: Iterable[str]) -> frozenset[str]:
    """The baselines of these models."""
    return frozenset(image_model(name).baseline for name in names)
