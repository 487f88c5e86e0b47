"""`/api/v2/generate/text`: asking for text, its status, and the worker's pop and submit.

The common parts of pictures and text are in `generate`, `pop` and `submit`.
"""

from typing import Annotated, Literal

from pydantic import Field, StrictInt

from core.wire.generate import GenerationState, RequestStatusCheck
from core.wire.image import ExtraSourceImage, ExtraSourceImages
from core.wire.limits import (
    MAX_LIST,
    MAX_METADATA,
    MAX_NAMES,
    MAX_TEXT_PROMPT_CHARS,
    MAX_TEXT_RESULT_CHARS,
    Message,
    Name,
    Names,
    Offered,
    Unwelcome,
)
from core.wire.messages import ResponseModelMessagePop
from core.wire.model import Answer, Request
from core.wire.pop import PopInput
from core.wire.scalars import WHOLE, Boolean, Integer, Known, Maybe, Number, Omitted, String
from core.wire.submit import SubmitInput

TextMetadataType = Literal["censorship"]

TextMetadataValue = Literal["csam"]


class ModelPayloadStyleKobold(Request):
    """Parameters that a style may also set: how the next token is sampled.

    Each of them is off if it is absent.
    """

    frmtadsnsp: Maybe[Boolean] = None
    """Whether a space is put before the text if the prompt does not end with one."""
    frmtrmblln: Maybe[Boolean] = None
    """Whether blank lines are removed."""
    frmtrmspch: Maybe[Boolean] = None
    """Whether special characters are removed."""
    frmttriminc: Maybe[Boolean] = None
    """Whether an incomplete last sentence is removed."""
    rep_pen: Maybe[Annotated[Number, Field(ge=1, le=3)]] = None
    """Divides the scores of tokens that occurred already."""
    rep_pen_range: Maybe[Annotated[StrictInt, Field(ge=0, le=4096), WHOLE]] = None
    """How many of the last tokens it considers; 0: all."""
    rep_pen_slope: Maybe[Annotated[Number, Field(ge=0, le=10)]] = None
    """How much less the older ones count."""
    singleline: Maybe[Boolean] = None
    """Whether the text ends with its first line."""
    chat: Maybe[Boolean] = None
    """Whether the prompt is what somebody says to the model: its own chat template is put around
    that, and the text is its answer (our extension)."""
    temperature: Maybe[Annotated[Number, Field(ge=0, le=5)]] = None
    """0: always the most probable token."""
    tfs: Maybe[Annotated[Number, Field(ge=0, le=1)]] = None
    """Tail-free sampling."""
    top_a: Maybe[Annotated[Number, Field(ge=0, le=1)]] = None
    top_k: Maybe[Annotated[StrictInt, Field(ge=0, le=200), WHOLE]] = None
    top_p: Maybe[Annotated[Number, Field(ge=0.001, le=1)]] = None
    typical: Maybe[Annotated[Number, Field(ge=0, le=1)]] = None
    """Locally typical sampling."""
    sampler_order: Maybe[Annotated[list[Integer], Field(max_length=MAX_LIST)]] = None
    """The order of 0 top_k, 1 top_a, 2 top_p, 3 tfs, 4 typical, 5 temperature, 6 rep_pen."""
    use_default_badwordsids: Maybe[Boolean] = None
    """Whether the model may neither end the text nor write brackets."""
    stop_sequence: Annotated[list[Message], Field(max_length=MAX_NAMES)] = Field(
        default_factory=list
    )
    """The text ends with the first of these, which is part of it."""
    min_p: Annotated[Number, Field(ge=0, le=1)] = 0.0
    smoothing_factor: Annotated[Number, Field(ge=0, le=10)] = 0.0
    """Quadratic sampling."""
    dynatemp_range: Annotated[Number, Field(ge=0, le=5)] = 0.0
    """How far the temperature varies with the entropy of the next token."""
    dynatemp_exponent: Annotated[Number, Field(ge=0, le=5)] = 1.0


class ModelPayloadRootKobold(ModelPayloadStyleKobold):
    """Parameters that only a request may set."""

    n: Annotated[StrictInt, Field(ge=1, le=20), WHOLE] = 1
    """How many texts."""
    max_context_length: Annotated[StrictInt, Field(ge=80, le=1048576), WHOLE] = 2048
    """Tokens of prompt and text together; the beginning of a longer prompt is left out."""
    max_length: Annotated[StrictInt, Field(ge=16, le=4096), WHOLE] = 80
    """The most tokens of the text."""


class ModelGenerationInputKobold(ModelPayloadRootKobold):
    """The parameters of a request."""


class GenerationInputKobold(Request):
    """`POST generate/text/async`: what is wanted."""

    prompt: Annotated[String, Field(max_length=MAX_TEXT_PROMPT_CHARS)]
    params: ModelGenerationInputKobold = Field(default_factory=ModelGenerationInputKobold)
    softprompt: Maybe[Annotated[Name, Field(min_length=1)]] = None
    """The name of a soft prompt that the worker must have."""
    trusted_workers: Boolean = False
    """Only workers of trusted users."""
    validated_backends: Boolean = False
    """Only workers whose program is known."""
    slow_workers: Boolean = True
    """False: only fast workers, at a surcharge."""
    extra_slow_workers: Boolean = False
    """True: also workers that say they are extra slow."""
    workers: Names = Field(default_factory=list)
    """Ids of the only workers that may serve it; only the first five count."""
    worker_blacklist: Boolean = False
    """True: `workers` may not serve it."""
    models: Names = Field(default_factory=list)
    """Any of these will do; none: any model."""
    extra_source_images: Annotated[ExtraSourceImages, Unwelcome()] = Field(default_factory=list)
    """Only useful for pictures."""
    dry_run: Boolean = False
    """True: only the price is wanted, nothing is queued."""
    proxied_account: Maybe[Name] = None
    """The person for whom a service account asks."""
    disable_batching: Boolean = False
    """Whether each text is made on its own."""
    allow_downgrade: Boolean = False
    """Whether to make less if the account cannot pay, rather than to refuse."""
    webhook: Maybe[Annotated[String, Field(max_length=1024)]] = None
    """An https URL that gets each text as it is finished."""
    style: Maybe[Annotated[String, Field(min_length=3, max_length=1024)]] = None
    """The id or name of a style or collection."""


class ReportedMetadataKobold(Answer):
    """What a worker reported about a text, as `GenerationMetadataKobold` took it."""

    type: Annotated[str, Known(TextMetadataType)]
    value: Annotated[str, Known(TextMetadataValue)]
    ref: Omitted[str] = None


class GenerationKobold(Answer):
    """A finished text."""

    text: str
    """The continuation of the prompt, without the prompt."""
    seed: int = 0
    gen_metadata: list[ReportedMetadataKobold] = Field(default_factory=list)
    worker_id: str
    worker_name: str
    model: str
    state: Annotated[str, Known(GenerationState)] = "ok"


class RequestStatusKobold(RequestStatusCheck):
    """The status of a request, with its finished results."""

    generations: list[GenerationKobold]


class PopInputKobold(PopInput):
    """What a worker that writes text declares."""

    max_length: Integer = 512
    """The most tokens that it writes."""
    max_context_length: Integer = 2048
    """The most tokens of prompt and text together."""
    softprompts: Offered = Field(default_factory=list)
    """Names of the soft prompts that it has."""
    allow_chat: Boolean = True
    """Whether its models have chat templates (our extension)."""
    wait: Annotated[Number, Field(ge=0, le=30)] = 0.0
    """Seconds to wait for work before the answer says that there is none (our extension)."""


class ModelPayloadKobold(Answer):
    """What the worker has to write: `ModelPayloadRootKobold` with the prompt."""

    prompt: Omitted[str] = None
    n: Omitted[int] = None
    """1; each text is a job of its own."""
    max_context_length: int = 2048
    max_length: int = 80
    frmtadsnsp: Omitted[bool] = None
    frmtrmblln: Omitted[bool] = None
    frmtrmspch: Omitted[bool] = None
    frmttriminc: Omitted[bool] = None
    rep_pen: Omitted[float] = None
    rep_pen_range: Omitted[int] = None
    rep_pen_slope: Omitted[float] = None
    singleline: Omitted[bool] = None
    chat: Omitted[bool] = None
    temperature: Omitted[float] = None
    tfs: Omitted[float] = None
    top_a: Omitted[float] = None
    top_k: Omitted[int] = None
    top_p: Omitted[float] = None
    typical: Omitted[float] = None
    sampler_order: Omitted[list[int]] = None
    use_default_badwordsids: Omitted[bool] = None
    stop_sequence: Omitted[list[str]] = None
    min_p: float = 0.0
    smoothing_factor: float = 0.0
    dynatemp_range: float = 0.0
    dynatemp_exponent: float = 1.0


class NoValidRequestFoundKobold(Answer):
    """How many waiting requests the worker could not serve, by reason."""

    worker_id: Omitted[int] = None
    performance: Omitted[int] = None
    nsfw: Omitted[int] = None
    blacklist: Omitted[int] = None
    untrusted: Omitted[int] = None
    models: Omitted[int] = None
    bridge_version: Omitted[int] = None
    kudos: Omitted[int] = None
    max_context_length: Omitted[int] = None
    max_length: Omitted[int] = None
    matching_softprompt: Omitted[int] = None


class GenerationPayloadKobold(Answer):
    """A batch of jobs of one request, or, if `id` is None, the reasons why there is none."""

    payload: ModelPayloadKobold = Field(default_factory=ModelPayloadKobold)
    id: str | None = None
    """The first of `ids`."""
    ids: list[str] = Field(default_factory=list)
    """One job for each text."""
    messages: list[ResponseModelMessagePop] = Field(default_factory=list)
    ttl: int | None = None
    """Seconds until the jobs are given to somebody else."""
    extra_source_images: list[ExtraSourceImage] | None = None
    skipped: NoValidRequestFoundKobold = Field(default_factory=NoValidRequestFoundKobold)
    softprompt: str | None = None
    model: str | None = None


class GenerationMetadataKobold(Request):
    """A note about a text."""

    type: TextMetadataType
    value: TextMetadataValue
    ref: Maybe[Annotated[String, Field(max_length=255)]] = None


class SubmitInputKobold(SubmitInput):
    """What a worker submits for a text, which is its `generation`."""

    seed: Integer = 0
    """The seed that it was written with; 0 if the worker cannot tell."""
    generation: Annotated[String, Field(max_length=MAX_TEXT_RESULT_CHARS)]
    gen_metadata: Annotated[list[GenerationMetadataKobold], Field(max_length=MAX_METADATA)] = Field(
        default_factory=list
    )
