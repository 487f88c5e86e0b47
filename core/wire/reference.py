"""`GET /api/v2/catalog/models`, ours: the models that this horde knows."""

from pydantic import Field, JsonValue

from core.wire.model import Answer


class KnownImageModel(Answer):
    """A model that makes pictures."""

    name: str
    baseline: str
    """What it was trained from: this decides how it is loaded and priced."""
    type: str
    """`checkpoint`: one file; `diffusers`: a folder."""
    nsfw: bool
    inpainting: bool
    needs_source: bool
    """Whether it only changes source pictures."""
    style: str
    description: str
    requirements: dict[str, JsonValue] = Field(default_factory=dict)
    """Limits of a request for a good result (min_steps, samplers, ...)."""


class KnownTextModel(Answer):
    """A model that writes."""

    name: str
    billions: float
    """Parameters in billions."""
    nsfw: bool
    description: str


class ModelReference(Answer):
    """All known models; another horde can use it as its HORDE_MODEL_REFERENCE_URL."""

    version: int
    image: list[KnownImageModel]
    text: list[KnownTextModel]
