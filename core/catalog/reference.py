"""The format of a model reference: what it says about each model, and how a file is read.

The shipped file, the file at a configured URL and the answer of `GET /api/v2/catalog/models` have
the same format, so one horde can follow another's.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib import resources
from typing import Annotated, Any, Final, Literal, cast, get_args

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from core.errors import Invalid

VERSION: Final = 1
USUAL_STEPS: Final = (20, 40)
"""The least and the most steps of a model whose requirements name none."""
DEFAULT_BASELINE: Final = "stable diffusion 1"

Baseline = Literal[
    "stable diffusion 1",
    "stable diffusion 2",
    "stable_diffusion_xl",
    "stable_cascade",
    "flux_1",
    "qwen_image",
    "z_image_turbo",
]
NumberKey = Literal[
    "clip_skip", "min_steps", "max_steps", "cfg_scale", "min_cfg_scale", "max_cfg_scale"
]
ListKey = Literal["samplers", "schedulers"]
Name = Annotated[str, Field(min_length=1, max_length=255)]
Told = Annotated[str, Field(max_length=1000)]
Prompt = Annotated[str, Field(min_length=1, max_length=1000)]
Number = Annotated[int, Field(ge=0, le=1000)] | Annotated[float, Field(ge=0, le=1000)]
_NUMBERS = TypeAdapter(dict[NumberKey, Number])
_LISTS = TypeAdapter(dict[ListKey, Annotated[list[Name], Field(max_length=50)]])


def _requirements(value: dict[str, Any]) -> dict[str, Any]:
    lists = {key: value[key] for key in get_args(ListKey) if key in value}
    numbers = {key: each for key, each in value.items() if key not in lists}
    checked = (_NUMBERS.validate_python(numbers), _LISTS.validate_python(lists))
    return cast("dict[str, Any]", {**checked[0], **checked[1]})


Requirements = Annotated[dict[str, Any], AfterValidator(_requirements)]

DefaultKey = Literal["width", "height", "steps", "cfg_scale"]
Side = Annotated[int, Field(ge=64, le=3072, multiple_of=64)]
Defaults = Annotated[
    dict[DefaultKey, Any],
    AfterValidator(lambda value: _DEFAULTS.validate_python(value).said()),
]


@dataclass(frozen=True, slots=True)
class _Defaults:
    width: Side | None = None
    height: Side | None = None
    steps: Annotated[int, Field(ge=1, le=500)] | None = None
    cfg_scale: Annotated[float, Field(ge=0, le=100)] | None = None

    def said(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None}


_DEFAULTS = TypeAdapter(_Defaults)


class BadReference(Invalid):
    """The file is not a model reference, or says something impossible."""

    code = "BadReference"


@dataclass(frozen=True, slots=True)
class ImageModel:
    """A model that makes pictures."""

    name: Name
    baseline: Baseline = DEFAULT_BASELINE
    type: Literal["checkpoint", "diffusers"] = "checkpoint"
    """Its format: one file, or a folder as the diffusers library reads it."""
    nsfw: bool = False
    """Whether it tends to be unsafe for work."""
    inpainting: bool = False
    """Whether it is made for inpainting, and for nothing else."""
    needs_source: bool = False
    """Whether it only changes source pictures."""
    style: Literal["generalist", "realistic", "anime", "artistic", "furry", "other"] = "generalist"
    description: Told = ""
    requirements: Requirements = field(default_factory=dict)
    """Limits for a good result; a request beyond them gets a warning and is not refused."""
    native: Annotated[int, Field(ge=1, le=16_384)] | None = None
    """Pixels of a side of the square pictures it was trained on."""
    defaults: Defaults = field(default_factory=dict)
    """What a request for it gets where it does not say: the size that shows the model best, the
    steps beyond which nothing changes, its guidance."""
    samples: Annotated[list[Prompt], Field(max_length=50)] = field(default_factory=list)
    """Prompts that it does well."""

    @property
    def most_steps(self) -> int:
        """The most steps that need no kudos in advance."""
        return int(self.requirements.get("max_steps", USUAL_STEPS[1]))

    @property
    def moderate_steps(self) -> int:
        """The mean of its least and most steps; up to these a request is not slow."""
        least = int(self.requirements.get("min_steps", min(USUAL_STEPS[0], self.most_steps)))
        return (least + max(least, self.most_steps)) // 2


@dataclass(frozen=True, slots=True)
class TextModel:
    """A model that writes."""

    name: Name
    billions: Annotated[float, Field(gt=0, le=10_000)]
    """Parameters in billions; for a mixture of experts, all of them."""
    nsfw: bool = False
    description: Told = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """Known models by name."""

    images: Mapping[str, ImageModel]
    texts: Mapping[str, TextModel]
    short: Mapping[str, TextModel]
    """Text models by the part of their names after the last slash, in lower case."""


@dataclass(frozen=True, slots=True)
class _File:
    version: Literal[1]
    image: Annotated[list[ImageModel], Field(min_length=1, max_length=10_000)]
    text: Annotated[list[TextModel], Field(max_length=10_000)]


_FILE = TypeAdapter(_File)


def parse(content: str | bytes) -> Reference:
    """Read a reference. Unknown keys are ignored.

    Raises BadReference, also if two models of a kind have one name.
    """
    try:
        file = _FILE.validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BadReference(f"not a model reference: {place}: {first['msg']}") from None
    return _made(file.image, file.text)


def _made(images: Sequence[ImageModel], texts: Sequence[TextModel]) -> Reference:
    by_name = {model.name: model for model in images}
    texts_by_name = {model.name: model for model in texts}
    if len(by_name) < len(images) or len(texts_by_name) < len(texts):
        raise BadReference("not a model reference: two models of a kind have the same name")
    short = {short_name(model.name): model for model in reversed(texts)}
    return Reference(by_name, texts_by_name, short)


def short_name(name: str) -> str:
    """A text model's name without its maker or server, in lower case."""
    return name.rpartition("/")[2].casefold()


@cache
def shipped() -> Reference:
    """The reference of this distribution."""
    return parse(resources.files("core.catalog").joinpath("reference.json").read_bytes())


def over_shipped(newer: Reference) -> Reference:
    """The shipped reference, extended and overridden by a newer one.

    Models that only the shipped one names stay known, such as the shipped model.
    """
    images = {**shipped().images, **newer.images}
    texts = {**shipped().texts, **newer.texts}
    return _made(list(images.values()), list(texts.values()))


def to_data(reference: Reference) -> dict[str, Any]:
    """The reference in the format of a file."""
    file = _File(VERSION, list(reference.images.values()), list(reference.texts.values()))
    data: dict[str, Any] = json.loads(_FILE.dump_json(file))
    return data
