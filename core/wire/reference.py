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
    native: int | None = None
    """Pixels of a side of the square pictures it was trained on."""
    defaults: dict[str, JsonValue] = Field(default_factory=dict)
    """What a request that names no other model gets where it says nothing: width, height, steps,
    cfg_scale."""
    samples: list[str] = Field(default_factory=list)
    """Prompts that it does well."""


class ModelVocabulary(Answer):
    """The words that a model knows, in lower case."""

    things: list[str]
    """What it draws."""
    places: list[str]
    """Where it draws it."""
    words: dict[str, str]
    """Other words and phrases it knows, plurals too, each with the thing or place."""
    nearest: dict[str, str]
    """Words it does not know, each with the thing that is drawn instead."""
    helping: list[str]
    """Words that say something of a thing: colours, sizes, styles, prepositions."""
    idle: list[str]
    """Words and phrases that change nothing."""


class ImageModelDetails(KnownImageModel):
    """`GET /api/v2/catalog/models/{name}`, ours: all that this horde knows of a model."""

    vocabulary: ModelVocabulary | None = None
    """The words it knows, for one that knows few; null: nothing is known of that."""


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
