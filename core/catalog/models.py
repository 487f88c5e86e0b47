"""The model reference: names, baselines and requirements of known models, from a file."""

import json
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


def baselines(names: Iterable[str]) -> frozenset[str]:
    """The baselines of these models."""
    return frozenset(image_model(name).baseline for name in names)
