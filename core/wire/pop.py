"""`POST /api/v2/generate/pop`: a worker says what it can serve, and gets work."""

from typing import Annotated

from pydantic import Field, StrictInt

from core.wire.image import ExtraSourceImage, ModelPayloadStable, SourceProcessing
from core.wire.limits import MAX_OFFERED, Name, Offered
from core.wire.messages import ResponseModelMessagePop
from core.wire.model import Answer, Request
from core.wire.scalars import WHOLE, Boolean, Integer, Known, Number, Omitted, String


class PopInput(Request):
    """What workers of any kind declare."""

    name: Name
    """The worker's name, unique among all workers."""
    priority_usernames: Offered = Field(default_factory=list)
    """Aliases (`name#id`) whose requests go first."""
    nsfw: Boolean = True
    """Whether it serves requests that may be unsafe for work."""
    models: Annotated[list[Annotated[Name, Field(min_length=3)]], Field(max_length=MAX_OFFERED)] = (
        Field(default_factory=list)
    )
    bridge_agent: Annotated[String, Field(max_length=1000)] = "unknown:0:unknown"
    """`name:version:url` of its program."""
    threads: Annotated[StrictInt, Field(ge=1, le=50), WHOLE] = 1
    """How many jobs it works on at once."""
    require_upfront_kudos: Boolean = False
    """Whether it serves only requests that are paid in full."""
    amount: Annotated[StrictInt, Field(ge=1, le=20), WHOLE] = 1
    """The most jobs of one request that it takes."""
    extra_slow_worker: Boolean = False


class PopInputStable(PopInput):
    """What a worker that makes pictures declares."""

    max_pixels: Integer = 262144
    """The largest area that it can make."""
    blacklist: Offered = Field(default_factory=list)
    """Words; it serves no prompts that contain them."""
    allow_img2img: Boolean = True
    allow_painting: Boolean = True
    allow_unsafe_ipaddr: Boolean = True
    allow_post_processing: Boolean = True
    allow_controlnet: Boolean = False
    allow_sdxl_controlnet: Boolean = False
    allow_lora: Boolean = False
    allow_censoring: Boolean = True
    """Whether it serves requests that want unsafe pictures held back (our extension)."""
    also: Offered = Field(default_factory=list)
    """What it has of what a switch above is off for: `control:canny`, `annotator:canny`,
    `post:RealESRGAN_x4plus`, `remix`, `extra_source_images`, `layer_diffuse`; and `qr_code`, for
    which there is no switch (our extension)."""
    limit_max_steps: Boolean = False
    """Whether it refuses more steps than its models need."""
    wait: Annotated[Number, Field(ge=0, le=30)] = 0.0
    """Seconds to wait for work before the answer says that there is none (our extension)."""


class NoValidRequestFoundStable(Answer):
    """How many waiting requests the worker could not serve, by reason."""

    worker_id: Omitted[int] = None
    performance: Omitted[int] = None
    nsfw: Omitted[int] = None
    blacklist: Omitted[int] = None
    untrusted: Omitted[int] = None
    models: Omitted[int] = None
    bridge_version: Omitted[int] = None
    kudos: Omitted[int] = None
    max_pixels: Omitted[int] = None
    step_count: Omitted[int] = None
    unsafe_ip: Omitted[int] = None
    img2img: Omitted[int] = None
    painting: Omitted[int] = None
    post_processing: Omitted[int] = Field(
        default=None, validation_alias="post-processing", serialization_alias="post-processing"
    )
    lora: Omitted[int] = None
    controlnet: Omitted[int] = None


class GenerationPayloadStable(Answer):
    """A batch of jobs of one request, or, if `id` is None, the reasons why there is none."""

    payload: ModelPayloadStable = Field(default_factory=ModelPayloadStable)
    id: str | None = None
    """The first of `ids`."""
    ids: list[str] = Field(default_factory=list)
    """One job for each picture, in the order of `r2_uploads`."""
    messages: list[ResponseModelMessagePop] = Field(default_factory=list)
    ttl: int | None = None
    """Seconds until the jobs are given to somebody else."""
    skipped: NoValidRequestFoundStable = Field(default_factory=NoValidRequestFoundStable)
    model: str | None = None
    source_image: str | None = None
    """A URL, or base64 WebP."""
    source_processing: Annotated[str, Known(SourceProcessing)] = "img2img"
    source_mask: str | None = None
    extra_source_images: list[ExtraSourceImage] | None = None
    r2_upload: str | None = None
    """The first of `r2_uploads`."""
    r2_uploads: list[str] | None = None
    """The URLs, to be used unchanged, to which the pictures are PUT as WebP."""
