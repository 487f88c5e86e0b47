"""`/api/v2/workers`."""

from typing import Annotated, Literal

from pydantic import Field

from core.wire.limits import MAX_MESSAGE_CHARS
from core.wire.messages import ResponseModelMessage
from core.wire.model import Answer, Request
from core.wire.scalars import Boolean, Known, Maybe, Omitted, String

WorkerType = Literal["image", "text", "interrogation"]


class WorkerKudosDetails(Answer):
    """What a worker earned, in kudos."""

    generated: float | None = None
    """By jobs."""
    uptime: int | None = None
    """By being online."""


class TeamDetailsLite(Answer):
    """A worker's team; both are None for a worker without one."""

    name: str | None = None
    id: str | None = None


class WorkerDetailsLite(Answer):
    """The worker."""

    type: Annotated[str, Known(WorkerType)]
    name: str
    id: str
    online: bool
    """Whether it was seen in the last 300 seconds."""


class WorkerDetails(WorkerDetailsLite):
    """A worker. Absent fields do not apply to its type, or the caller may not see them."""

    requests_fulfilled: int
    kudos_rewards: float
    kudos_details: WorkerKudosDetails = Field(default_factory=WorkerKudosDetails)
    performance: str
    """A sentence, such as `1.0 megapixelsteps per second`."""
    threads: int
    uptime: int
    """Seconds."""
    maintenance_mode: bool
    paused: Omitted[bool] = None
    """Moderators."""
    info: Omitted[str] = None
    nsfw: bool = False
    owner: Omitted[str] = None
    """The owner's alias, if they publish their workers, or for moderators."""
    ipaddr: Omitted[str] = None
    """Moderators."""
    trusted: bool
    flagged: bool
    suspicious: Omitted[int] = None
    """Moderators."""
    uncompleted_jobs: int
    models: Omitted[list[str]] = None
    forms: Omitted[list[str]] = None
    """The forms that an alchemist offers."""
    team: TeamDetailsLite = Field(default_factory=TeamDetailsLite)
    contact: Omitted[str] = None
    """Moderators."""
    bridge_agent: str = "unknown:0:unknown"
    """`name:version:url` of its program."""
    max_pixels: Omitted[int] = None
    megapixelsteps_generated: Omitted[float] = None
    img2img: Omitted[bool] = None
    painting: Omitted[bool] = None
    post_processing: Omitted[bool] = Field(
        default=None, validation_alias="post-processing", serialization_alias="post-processing"
    )
    lora: Omitted[bool] = None
    controlnet: Omitted[bool] = None
    sdxl_controlnet: Omitted[bool] = None
    max_length: Omitted[int] = None
    """The most tokens that a text worker writes."""
    max_context_length: Omitted[int] = None
    """The most tokens that it reads."""
    tokens_generated: Omitted[float] = None
    messages: Omitted[list[ResponseModelMessage]] = None
    """The messages that the worker gets at present, if `owner` is shown too."""


class ModifyWorkerInput(Request):
    """`PUT workers/{id}`: changes."""

    maintenance: Maybe[Boolean] = None
    """Whether the worker gets only its owner's jobs."""
    maintenance_msg: Maybe[Annotated[String, Field(max_length=MAX_MESSAGE_CHARS)]] = None
    """The message for `maintenance: true`."""
    paused: Maybe[Boolean] = None
    """Moderators: whether it gets fake jobs and does not notice."""
    info: Maybe[Annotated[String, Field(max_length=1000)]] = None
    name: Maybe[Annotated[String, Field(min_length=5, max_length=100)]] = None
    team: Maybe[Annotated[String, Field(max_length=36)]] = None
    """A team's id; empty: none."""


class ModifyWorker(Answer):
    """What was changed."""

    maintenance: bool | None = None
    paused: bool | None = None
    info: str | None = None
    name: str | None = None
    team: str | None = None
    """The team's name, or `None` for a worker that has left its team."""


class DeletedWorker(Answer):
    """The deleted worker."""

    deleted_id: str
    deleted_name: str
