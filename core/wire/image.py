"""The parameters of a picture, as requests, styles and workers have them.

They go by name from the request (`ModelGenerationInputStable`) through the domain's `ImageParams`
to the worker (`ModelPayloadStable`); `core.api.v2.parameters` has the exceptions.
"""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field, JsonValue, StrictInt

from core import features
from core.wire.limits import EMPTY_IS_NONE, MAX_LIST, FreeObject, Name, Picture, Text
from core.wire.model import Answer, Request
from core.wire.scalars import WHOLE, Boolean, Distinct, Known, Maybe, Number, Omitted, String

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


Side = Annotated[StrictInt, Field(ge=64, le=3072, multiple_of=64), WHOLE]


class ExtraSourceImage(Request):
    """One more picture to start from (`remix` only)."""

    image: Annotated[Maybe[Picture], EMPTY_IS_NONE] = None
    """Base64, or a URL that starts with `http`."""
    strength: Number = 1.0


def _with_picture(extras: list[ExtraSourceImage]) -> list[ExtraSourceImage]:
    return [extra for extra in extras if extra.image is not None]


ExtraSourceImages = Annotated[
    list[ExtraSourceImage], Field(max_length=MAX_LIST), AfterValidator(_with_picture)
]
"""Entries without a picture are dropped."""


class ExtraText(Request):
    """A text for a workflow, such as the content of a QR code."""

    text: Maybe[Annotated[Text, Field(min_length=1)]] = None
    reference: Maybe[Annotated[Name, Field(min_length=3)]] = None
    """What the workflow uses the text for."""


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
    """The prompt to which the worker adds its word; absent if the prompt has it already."""
    strength: Annotated[Number, Field(ge=-5, le=5)] = 1.0


Loras = Annotated[list[ModelPayloadLorasStable], Field(max_length=MAX_LIST)]
TextualInversions = Annotated[list[ModelPayloadTextualInversionsStable], Field(max_length=MAX_LIST)]


class ModelPayloadStyleStable(Request):
    """Parameters that a style may also set."""

    sampler_name: Sampler = "k_euler_a"
    cfg_scale: Annotated[Number, Field(ge=0, le=100)] = 5.0
    """How strongly the prompt guides (at most two decimals)."""
    denoising_strength: Maybe[Annotated[Number, Field(ge=0.01, le=1)]] = None
    """How much of a source picture is redrawn."""
    hires_fix_denoising_strength: Maybe[Annotated[Number, Field(ge=0.01, le=1)]] = None
    height: Side = 512
    """Pixels."""
    width: Side = 512
    """Pixels."""
    post_processing: Distinct[PostProcessor] = Field(default_factory=list)
    """Applied in this order."""
    karras: Boolean = True
    """Whether to use the noise schedule of Karras et al."""
    tiling: Boolean = False
    """Whether the picture can be tiled."""
    hires_fix: Boolean = False
    """Whether to compose at the model's own size first and refine at the full one."""
    clip_skip: Maybe[Annotated[StrictInt, Field(ge=1, le=12), WHOLE]] = None
    """Which of the text encoder's layers to use, counted from the last."""
    facefixer_strength: Maybe[Annotated[Number, Field(ge=0, le=1)]] = None
    loras: Loras = Field(default_factory=list)
    tis: TextualInversions = Field(default_factory=list)
    special: Maybe[FreeObject] = None
    workflow: Maybe[Workflow] = None
    transparent: Boolean = False
    """Whether the background is left out."""


class ModelPayloadRootStable(ModelPayloadStyleStable):
    """Parameters that only a request may set."""

    seed: Maybe[Text] = None
    """Digits are the number itself, any other text stands for one; empty or absent is random."""
    seed_variation: Maybe[Annotated[StrictInt, Field(ge=1, le=1000), WHOLE]] = None
    """How far apart the seeds of a request's pictures are."""
    control_type: Maybe[ControlType] = None
    image_is_control: Boolean = False
    """Whether the source picture is a control map already."""
    return_control_map: Boolean = False
    """Whether the control map is wanted instead of the picture."""
    extra_texts: Annotated[list[ExtraText], Field(max_length=MAX_LIST)] = Field(
        default_factory=list
    )


class ModelGenerationInputStable(ModelPayloadRootStable):
    """The parameters of a request."""

    steps: Annotated[StrictInt, Field(ge=1, le=500), WHOLE] = 30
    """If it is not set (`model_fields_set`), the server takes 20 with a `control_type`."""
    n: Annotated[StrictInt, Field(ge=1, le=20), WHOLE] = 1
    """How many pictures."""


class ModelStyleInputParamsStableNoDefaults(Request):
    """Parameters of a style for pictures, without steps; absent ones are left open."""

    sampler_name: Maybe[Sampler] = None
    cfg_scale: Maybe[Annotated[Number, Field(ge=0, le=100)]] = None
    denoising_strength: Maybe[Annotated[Number, Field(ge=0.01, le=1)]] = None
    hires_fix_denoising_strength: Maybe[Annotated[Number, Field(ge=0.01, le=1)]] = None
    height: Maybe[Side] = None
    """Pixels; the request decides if it is absent."""
    width: Maybe[Side] = None
    """Pixels; the request decides if it is absent."""
    post_processing: Maybe[Distinct[PostProcessor]] = None
    karras: Maybe[Boolean] = None
    tiling: Maybe[Boolean] = None
    hires_fix: Maybe[Boolean] = None
    clip_skip: Maybe[Annotated[StrictInt, Field(ge=1, le=12), WHOLE]] = None
    facefixer_strength: Maybe[Annotated[Number, Field(ge=0, le=1)]] = None
    loras: Maybe[Loras] = None
    tis: Maybe[TextualInversions] = None
    special: Maybe[FreeObject] = None
    workflow: Maybe[Workflow] = None
    transparent: Maybe[Boolean] = None


class ModelPayloadStable(Answer):
    """What the worker has to make: one seed, prompt and set of parameters for the whole batch."""

    prompt: Omitted[str] = None
    ddim_steps: int = 30
    n_iter: int = 1
    """How many pictures: as many as the answer has ids."""
    use_nsfw_censor: Omitted[bool] = None
    seed: Omitted[str] = None
    """Digits; picture k of the batch gets seed + k * seed_variation (1 where absent)."""
    seed_variation: Omitted[int] = None
    control_type: Omitted[Annotated[str, Known(ControlType)]] = None
    image_is_control: bool = False
    return_control_map: bool = False
    extra_texts: Omitted[list[ExtraText]] = None
    sampler_name: Annotated[str, Known(Sampler)] = "k_euler_a"
    cfg_scale: float = 7.5
    denoising_strength: Omitted[float] = None
    hires_fix_denoising_strength: Omitted[float] = None
    height: int = 512
    width: int = 512
    post_processing: Omitted[list[Annotated[str, Known(PostProcessor)]]] = None
    karras: bool = False
    tiling: bool = False
    hires_fix: bool = False
    clip_skip: Omitted[int] = None
    facefixer_strength: Omitted[float] = None
    loras: Omitted[list[ModelPayloadLorasStable]] = None
    tis: Omitted[list[ModelPayloadTextualInversionsStable]] = None
    special: Omitted[ModelSpecialPayloadStable] = None
    workflow: Omitted[Annotated[str, Known(Workflow)]] = None
    transparent: bool = False
