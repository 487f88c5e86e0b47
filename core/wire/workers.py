"""`/api/v2/workers`."""

from typing import Annotated, Literal

from pydantic import Field

from core.wire.messages import ResponseModelMessage
from core.wire.model import Answer
from core.wire.scalars import Known

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


class WorkerDetails(Answer):
    """A worker. What is None does not apply to its type, or was not for the caller."""

    type: Annotated[str, Known(WorkerType)]
    name: str
    id: str
    online: bool
    """Whether it was seen in the last 300 seconds."""
    requests_fulfilled: int
    kudos_rewards: float
    kudos_details: WorkerKudosDetails = Field(default_factory=WorkerKudosDetails)
    performance: str
    """A sentence, such as `1.0 megapixelsteps per second`."""
    threads: int
    uptime: int
    """Seconds."""
    maintenance_mode: bool
    paused: bool | None = None
    """Moderators."""
    info: str | None = None
    nsfw: bool = False
    owner: str | None = None
    """The owner's alias, where they publish their workers, or for moderators."""
    ipaddr: str | None = None
    """Moderators."""
    trusted: bool
    flagged: bool
    suspicious: int | None = None
    """Moderators."""
    uncompleted_jobs: int
    models: list[str] | None = None
    forms: list[str] | None = None
    """What an alchemist offers."""
    team: TeamDetailsLite = Field(default_factory=TeamDetailsLite)
    contact: str | None = None
    """Moderators."""
    bridge_agent: str = "unknown:0:unknown"
    """`name:version:url` of its program."""
    max_pixels: int | None = None
    megapixelsteps_generated: float | None = None
    img2img: bool | None = None
    painting: bool | None = None
    post_processing: bool | None = Field(
        default=None, validation_alias="post-processing", serialization_alias="post-processing"
    )
    lora: bool | None = None
    controlnet: bool | None = None
    sdxl_controlnet: bool | None = None
    max_length: int | None = None
    max_context_length: int | None = None
    tokens_generated: float | None = None
    messages: list[ResponseModelMessage] | None = None
