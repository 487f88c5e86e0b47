"""The server-sent events of `GET /api/v2/generate/events/{id}` (ours).

The stream begins with a `status` and a `generation` for each finished picture, so a client that
connects again misses nothing; it knows a picture by its id. After `end` the server closes. A
comment line every 15 seconds shows that the connection is alive. If the server stops, or a stream
has lasted for an hour, it says when to connect again, and closes.
"""

from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from core.wire.generate import GenerationStable, RequestStatusCheck
from core.wire.model import Answer, to_json
from core.wire.scalars import Known, Omitted

HEARTBEAT: Final = b":\n\n"
HEARTBEAT_SECONDS: Final = 15.0
COME_AGAIN: Final = b": please connect again\nretry: 2000\n\n"
"""The end of a stream that ends before its request does."""

JobState = Literal["waiting", "processing", "done", "faulted", "cancelled", "expired"]


class JobProgress(Answer):
    """One picture of a request."""

    index: int
    """From 0, in the order of the request's seeds."""
    state: Annotated[str, Known(JobState)]
    worker_id: Omitted[str] = None
    """The worker that makes it, or made it."""
    worker_name: Omitted[str] = None
    faults: Omitted[int] = None
    """How many workers' tries failed, if any did."""
    reason: Omitted[str] = None
    """The last reason that a worker gave, in its words, if any did."""


class StatusEvent(RequestStatusCheck):
    """Something has changed."""

    name: ClassVar[str] = "status"

    jobs: list[JobProgress] = Field(default_factory=list)


class GenerationEvent(GenerationStable):
    """A picture is finished; once for each on a connection."""

    name: ClassVar[str] = "generation"

    index: int
    kudos: Omitted[float] = None
    """Its cost; None if a client had to poll instead."""


class ProgressEvent(Answer):
    """How far the worker is with one job; nothing of it is told again on a new connection."""

    name: ClassVar[str] = "progress"

    index: int
    """The job's."""
    step: int
    steps: int
    preview: Omitted[str] = None
    """What its picture will look like: a small WebP, as base64."""
    text: Omitted[str] = None
    """What is written of it so far."""


class EndEvent(RequestStatusCheck):
    """Nothing more will happen."""

    name: ClassVar[str] = "end"


Event = StatusEvent | GenerationEvent | ProgressEvent | EndEvent

_EVENTS: Final[dict[str, type[Event]]] = {
    event.name: event for event in (StatusEvent, GenerationEvent, ProgressEvent, EndEvent)
}


def encode(event: Event) -> bytes:
    """Write an event as it is sent."""
    return b"event: %b\ndata: %b\n\n" % (event.name.encode(), to_json(event, omit_nulls=False))


def decode(name: str, data: str) -> Event | None:
    """Read an event; None if this client does not know its name.

    Raises ValueError if the data is not what the name says.
    """
    event = _EVENTS.get(name)
    return None if event is None else event.model_validate_json(data)
