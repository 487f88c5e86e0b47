"""`/api/v2/generate`: asking for pictures, and their status.

The worker's side is in `pop` and `submit`, the parameters of a picture are in `image`; the classes
of the whole path family can be imported from here.
"""

from typing import Annotated, Literal

from pydantic import Field

from core.wire.image import (
    ExtraSourceImage,
    ExtraSourceImages,
    ExtraText,
    MetadataType,
    MetadataValue,
    ModelGenerationInputStable,
    ModelPayloadLorasStable,
    ModelPayloadRootStable,
    ModelPayloadStable,
    ModelPayloadStyleStable,
    ModelPayloadTextualInversionsStable,
    ModelSpecialPayloadStable,
    SourceProcessing,
)
from core.wire.limits import EMPTY_IS_NONE, Name, Names, Picture, Prompt
from core.wire.model import Answer, Request
from core.wire.pop import (
    GenerationPayloadStable,
    NoValidRequestFoundStable,
    PopInput,
    PopInputStable,
)
from core.wire.scalars import Boolean, Known, Maybe, Omitted, String
from core.wire.submit import (
    GenerationMetadataStable,
    GenerationSubmitted,
    SubmitInput,
    SubmitInputStable,
)

__all__ = [
    "DryRun",
    "ExtraSourceImage",
    "ExtraText",
    "GenerationInputStable",
    "GenerationMetadataStable",
    "GenerationPayloadStable",
    "GenerationStable",
    "GenerationSubmitted",
    "ModelGenerationInputStable",
    "ModelPayloadLorasStable",
    "ModelPayloadRootStable",
    "ModelPayloadStable",
    "ModelPayloadStyleStable",
    "ModelPayloadTextualInversionsStable",
    "ModelSpecialPayloadStable",
    "NoValidRequestFoundStable",
    "PopInput",
    "PopInputStable",
    "ReportedMetadata",
    "RequestAsync",
    "RequestSingleWarning",
    "RequestStatusCheck",
    "RequestStatusStable",
    "SubmitInput",
    "SubmitInputStable",
]

GenerationState = Literal["ok", "censored", "csam"]

WarningCode = Literal[
    "NoAvailableWorker",
    "ClipSkipMismatch",
    "StepsTooFew",
    "StepsTooMany",
    "CfgScaleMismatch",
    "CfgScaleTooSmall",
    "CfgScaleTooLarge",
    "SamplerMismatch",
    "SchedulerMismatch",
]


class GenerationInputStable(Request):
    """`POST generate/async`: what is wanted."""

    prompt: Annotated[Prompt, Field(min_length=1)]
    """The part after the first `###` is the negative prompt."""
    params: ModelGenerationInputStable = Field(default_factory=ModelGenerationInputStable)
    nsfw: Boolean = True
    """Whether the picture may be unsafe for work; if so, only workers that allow it serve it."""
    trusted_workers: Boolean = False
    """Only workers of trusted users."""
    validated_backends: Boolean = False
    """Only useful for text."""
    slow_workers: Boolean = True
    """False: only fast workers, at a surcharge."""
    extra_slow_workers: Boolean = False
    """True: also workers that say they are extra slow."""
    censor_nsfw: Boolean = True
    """Whether the worker replaces an unsafe picture if `nsfw` is false."""
    workers: Names = Field(default_factory=list)
    """Ids of the only workers that may serve it; only the first five count."""
    worker_blacklist: Boolean = False
    """True: `workers` may not serve it."""
    models: Names = Field(
        default_factory=lambda: ["stable_diffusion"],
        json_schema_extra={"default": ["stable_diffusion"]},
    )
    """Any of these will do; none: any model. Servers may have another default."""
    source_image: Annotated[Maybe[Picture], EMPTY_IS_NONE] = None
    """Base64, or a URL that starts with `http`."""
    source_processing: SourceProcessing = "img2img"
    source_mask: Annotated[Maybe[Picture], EMPTY_IS_NONE] = None
    extra_source_images: ExtraSourceImages = Field(default_factory=list)
    r2: Boolean = True
    """True: pictures come as URLs; false: as base64."""
    shared: Boolean = False
    replacement_filter: Boolean = True
    """Whether a suspicious prompt is rewritten rather than refused."""
    dry_run: Boolean = False
    """True: only the price is wanted, nothing is queued."""
    proxied_account: Maybe[Name] = None
    """The person for whom a service account asks."""
    disable_batching: Boolean = False
    """Whether each picture is made on its own."""
    allow_downgrade: Boolean = False
    """Whether to make less if the account cannot pay, rather than to refuse."""
    webhook: Maybe[Annotated[String, Field(min_length=10, max_length=1024)]] = None
    """An https URL that gets each picture as it is finished."""
    style: Maybe[Annotated[String, Field(min_length=3, max_length=1024)]] = None
    """The id or name of a style or collection."""


class RequestSingleWarning(Answer):
    """Why an accepted request may not turn out well."""

    code: Annotated[str, Known(WarningCode)]
    """Or `UnknownWords`, which is ours: a small model does not know words of the prompt."""
    message: str


class RequestAsync(Answer):
    """202: the request is queued."""

    id: str
    """Whoever knows it may read and cancel the request."""
    kudos: float
    """The price of one picture before taxes, in whole kudos."""
    kudos_exact: Omitted[float] = None
    """The same, exact to the hundredth. Ours."""
    message: str | None = None
    warnings: list[RequestSingleWarning] | None = None
    repeated: Omitted[bool] = None
    """Whether a call with this Idempotency-Key has queued it before. Not without a key. Ours."""


class DryRun(Answer):
    """200: the price of all of it; nothing is queued."""

    kudos: float
    """In whole kudos."""
    kudos_exact: Omitted[float] = None
    """The same, exact to the hundredth. Ours."""

    @property
    def price(self) -> float:
        """The price, as exact as the server sent it."""
        return self.kudos if self.kudos_exact is None else self.kudos_exact


class JobFault(Answer):
    """A picture or text that workers failed at. Ours."""

    index: int
    """From 0, in the order of the request's seeds."""
    tries: int
    """How many workers' tries failed."""
    reason: Omitted[str] = None
    """The last reason that a worker gave, in its words, if any did."""


class RequestStatusCheck(Answer):
    """The status of a request."""

    finished: int
    """Pictures delivered."""
    processing: int
    """Pictures that a worker is making."""
    restarted: int
    """How often a worker failed at a picture; these are waiting again."""
    waiting: int
    """Pictures that no worker has taken yet."""
    done: bool
    faulted: bool = False
    wait_time: int
    """Seconds, estimated."""
    queue_position: int
    """From 1; 0 if nothing is waiting."""
    kudos: float
    """Consumed so far, in whole kudos."""
    kudos_exact: Omitted[float] = None
    """The same, exact to the hundredth. Ours."""
    is_possible: bool = True
    """Whether a worker that is online could take it."""
    faults: Omitted[list[JobFault]] = None
    """The results that workers failed at, if any. Ours."""

    @property
    def cost(self) -> float:
        """The kudos consumed so far, as exact as the server sent them."""
        return self.kudos if self.kudos_exact is None else self.kudos_exact


class ReportedMetadata(Answer):
    """What a worker reported about a picture, as `GenerationMetadataStable` took it."""

    type: Annotated[str, Known(MetadataType)]
    value: Annotated[str, Known(MetadataValue)]
    ref: Omitted[str] = None


class GenerationStable(Answer):
    """A finished picture."""

    img: str
    """A URL that lives 30 minutes and differs each time, or base64 WebP."""
    seed: str
    id: str
    censored: bool
    gen_metadata: list[ReportedMetadata] = Field(default_factory=list)
    worker_id: str
    worker_name: str
    model: str
    state: Annotated[str, Known(GenerationState)] = "ok"


class RequestStatusStable(RequestStatusCheck):
    """The status of a request, with its finished results."""

    generations: list[GenerationStable]
    shared: bool = False
