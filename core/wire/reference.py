"""`GET /api/v2/catalog/models`, ours: the models that this horde knows."""

from pydantic import Field, JsonValue

from core.wire.model import Answer


class KnownImageModel(Answer):
    """A model that makes pictures."""

    name: str
    baseline: str
    """What it was trained from: workers load and hordes price it by that."""
    type: str
    """`checkpoint`: one file; `diffusers`: a folder."""
    nsfw: bool
    inpainting: bool
    needs_source: bool
    """Whether it makes pictures from others alone."""
    style: str
    description: str
    requirements: dict[str, JsonValue] = Field(default_factory=dict)
    """What a request has to keep to for a good result (min_steps, samplers, ...)."""


class KnownTextModel(Answer):
    """A model that writes."""

    name: str
    billions: float
    """Parameters, in thousands of millions."""
    nsfw: bool
    description: str


class ModelReference(Answer):
    """All known models; another horde can take it as its HORDE_MODEL_REFERENCE_URL."""

    version: int
    image: list[KnownImageModel]
    text: list[KnownTextModel]
