"""The parameters of a picture: what requests, styles and a worker's payload have in common."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, JsonValue, StrictInt

from core import features
from core.wire.model import Request
from core.wire.scalars import WHOLE, Boolean, Distinct, Maybe, Number, String

if TYPE_CHECKING:
    Sampler = str
    PostProcessor = str
    ControlType = str
else:  # type checkers cannot know what a table holds
    Sampler = Literal[tuple(features.SAMPLERS)]
    PostProcessor = Literal[tuple(features.POST_PROCESSORS)]
    ControlType = Literal[tuple(features.CONTROL_TYPES)]

SourceProcessing = Literal["img2img", "inpainting", "outpainting", "remix"]

Workflow = Literal["qr_code"]

MetadataType = Literal[
    "lora",
    "ti",
    "censorship",
    "source_image",
    "source_mask",
    "extra_source_images",
    "batch_index",
    "information",
    "aesthetic_score",
]

MetadataValue = Literal[
    "download_failed", "parse_failed", "baseline_mismatch", "csam", "nsfw", "see_ref"
]

ModelSpecialPayloadStable = dict[str, JsonValue]
"""Free parameters for special models."""


class ExtraSourceImage(Request):
    """One more picture to start from (`remix` only)."""

    image: Maybe[Annotated[String, Field(min_length=1)]] = None
    """Base64, or a URL that starts with `http`."""
    strength: Number = 1.0


class ExtraText(Request):
    """A text for a workflow, such as the content of a QR code."""

    text: Maybe[Annotated[String, Field(min_length=1)]] = None
    reference: Maybe[Annotated[String, Field(min_length=3)]] = None
    """What the workflow takes the text for."""


class ModelPayloadLorasStable(Request):
    """A low-rank adaptation to apply."""

    name: Annotated[String, Field(min_length=1, max_length=255)]
    """Its name or id; the version's id with `is_version`."""
    model: Annotated[Number, Field(ge=-5, le=5)] = 1.0
    """How strongly the diffusion model is adapted."""
    clip: Annotated[Number, Field(ge=-5, le=5)] = 1.0
    """How strongly the text encoder is adapted."""
    inject_trigger: Maybe[Annotated[String, Field(min_length=1, max_length=30)]] = None
    """A trigger word for the prompt: the closest one known, or any one for `any`."""
    is_version: Boolean = False


class ModelPayloadTextualInversionsStable(Request):
    """A textual inversion (embedding) to apply."""

    name: Annotated[String, Field(min_length=1, max_length=255)]
    inject_ti: Maybe[Literal["prompt", "negprompt"]] = None
    """Which prompt the worker puts its word into; absent where the prompt has it already."""
    strength: Annotated[Number, Field(ge=-5, le=5)] = 1.0


class ModelPayloadStyleStable(Request):
    """What a style, too, may say about a picture."""

    sampler_name: Sampler = "k_euler_a"
    cfg_scale: Annotated[Number, Field(ge=0, le=100)] = 5.0
    """How strongly the prompt guides (at most two decimals)."""
    denoising_strength: Maybe[Annotated[Number, Field(ge=0.01, le=1)]] = None
    """How much of a source picture is redrawn."""
    hires_fix_denoising_strength: Maybe[Annotated[Number, Field(ge=0.01, le=1)]] = None
    height: Annotated[StrictInt, Field(ge=64, le=3072, multiple_of=64), WHOLE] = 512
    """Pixels."""
    width: Annotated[StrictInt, Field(ge=64, le=3072, multiple_of=64), WHOLE] = 512
    """Pixels."""
    post_processing: Distinct[PostProcessor] = Field(default_factory=list)
    """Applied in this order."""
    karras: Boolean = True
    """Whether to use the noise schedule of Karras et al."""
    tiling: Boolean = False
    """Whether the picture continues over its edges."""
    hires_fix: Boolean = False
    """Whether to compose at the model's own size first and refine at the full one."""
    clip_skip: Maybe[Annotated[StrictInt, Field(ge=1, le=12), WHOLE]] = None
    """Which of the text encoder's layers to use, counted from the last."""
    facefixer_strength: Maybe[Annotated[Number, Field(ge=0, le=1)]] = None
    loras: list[ModelPayloadLorasStable] = Field(default_factory=list)
    tis: list[ModelPayloadTextualInversionsStable] = Field(default_factory=list)
    special: Maybe[ModelSpecialPayloadStable] = None
    workflow: Maybe[Workflow] = None
    transparent: Boolean = False
    """Whether the background is left out."""


class ModelPayloadRootStable(ModelPayloadStyleStable):
    """What a single request may say beyond a style."""

    seed: Maybe[String] = None
    """Digits are the number, any other text stands for one; empty or absent is random."""
    seed_variation: Maybe[Annotated[StrictInt, Field(ge=1, le=1000), WHOLE]] = None
    """How far apart the seeds of a request's pictures are."""
    control_type: Maybe[ControlType] = None
    image_is_control: Boolean = False
    """Whether the source picture is a control map already."""
    return_control_map: Boolean = False
    """Whether the control map is wanted instead of the picture."""
    extra_texts: list[ExtraText] = Field(default_factory=list)


class ModelGenerationInputStable(ModelPayloadRootStable):
    """The parameters of a request."""

    steps: Annotated[StrictInt, Field(ge=1, le=500), WHOLE] = 30
    """Where it is not set (`model_fields_set`), the server takes 20 with a `control_type`."""
    n: Annotated[StrictInt, Field(ge=1, le=20), WHOLE] = 1
    """How many pictures."""
