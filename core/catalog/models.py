"""Known models: what a model's name tells about it.

The reference in use is the shipped one until the process adopts another (`use`, by
`core.upkeep.references`). There is one for each process.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from core.catalog import reference
from core.catalog.reference import DEFAULT_BASELINE, Baseline, ImageModel, Reference, TextModel

__all__ = [
    "DEFAULT_BASELINE",
    "ImageModel",
    "TextModel",
    "baselines",
    "current",
    "defaults",
    "image_model",
    "known",
    "known_texts",
    "most_billions",
    "text_model",
    "use",
]

NAMED_BASELINES: Final[Mapping[str, Baseline]] = {
    "[SDXL]": "stable_diffusion_xl",
    "[Flux]": "flux_1",
    "[Qwen]": "qwen_image",
    "[ZModel]": "z_image_turbo",
    "[ZImage]": "z_image_turbo",
}
"""Parts of a custom model's name that name its baseline."""

QUANTISATION: Final = re.compile(
    r"[.\-_:](?:i1-)?"
    r"(?:I?Q\d\w*|[BF]P?16|FP?8|F32|\d\.?\d*bpw|\dbit|GPTQ|AWQ|GGUF|EXL\d|imatrix|int[48])$",
    re.IGNORECASE,
)
"""The ending of a text model's name that says how its weights are stored."""

_in_use: list[Reference] = []


def current() -> Reference:
    """The reference in use."""
    return _in_use[0] if _in_use else reference.shipped()


def use(newer: Reference | None) -> None:
    """Use another reference; None returns to the shipped one."""
    _in_use[:] = [] if newer is None else [newer]


def known() -> Mapping[str, ImageModel]:
    """All image models of the reference by name."""
    return current().images


def known_texts() -> Mapping[str, TextModel]:
    """All text models of the reference by name."""
    return current().texts


def image_model(name: str) -> ImageModel:
    """The known model, or what can be guessed about an unknown one from its name."""
    if (model := known().get(name)) is not None:
        return model
    for mark, baseline in NAMED_BASELINES.items():
        if mark in name:
            return ImageModel(name, baseline)
    return ImageModel(name)


def defaults(names: Sequence[str]) -> dict[str, Any]:
    """What a request gets where it does not say: what all the models that may serve it have."""
    each = [image_model(name).defaults for name in names]
    return {
        key: value
        for key, value in (each[0] if each else {}).items()
        if all(other.get(key) == value for other in each)
    }


def text_model(name: str) -> TextModel | None:
    """The known model; None for an unknown one.

    Workers add to a model's name: `::user#id`, how its weights are stored, who made or serves it.
    An exact match of the name comes before a similar one.
    """
    name = name.partition("::")[0]
    while True:
        exact = known_texts().get(name)
        model = exact or current().short.get(reference.short_name(name))
        if model is not None or (tail := QUANTISATION.search(name)) is None:
            return model
        name = name[: tail.start()]


def most_billions(names: Iterable[str]) -> float | None:
    """Size of the largest known text model of these, None if none is known."""
    known = (text_model(name) for name in names)
    return max((model.billions for model in known if model is not None), default=None)


def baselines(names: Iterable[str]) -> frozenset[str]:
    """The baselines of these models."""
    return frozenset(image_model(name).baseline for name in names)
