"""`/api/v1`: requests and answers of the API of 2022. A server there is a worker today.

Arguments come as JSON, as a form or in the query string, so numbers may be texts: unlike requests
of version 2, these are read leniently. The key is an argument among others.
"""

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field
from pydantic_core import from_json

from core.wire.limits import (
    MAX_NAME_CHARS,
    MAX_NAMES,
    MAX_OFFERED,
    MAX_PICTURE_CHARS,
    MAX_PROMPT_CHARS,
    Sent,
)
from core.wire.model import Answer, Request
from core.wire.scalars import LARGEST, Omitted

ShortText = Annotated[str, Field(max_length=MAX_NAME_CHARS)]
Count = Annotated[int, Field(ge=-LARGEST, le=LARGEST)]


def _read(value: object) -> object:
    """Read an object that a form or a query string had to send as JSON."""
    return from_json(value, allow_inf_nan=False) if isinstance(value, str) else value


class Arguments(Request):
    """The arguments of a call. The key is one of them."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    api_key: Annotated[ShortText, Field(min_length=1)]


class Parameters(Request):
    """The parameters of a picture. Unknown ones are for the worker's program alone."""

    model_config = ConfigDict(extra="allow")

    n: Annotated[int, Field(ge=1, le=LARGEST)] = 1
    """At most 20 are made."""
    width: Count = 512
    height: Count = 512
    steps: Annotated[int, Field(ge=1, le=LARGEST)] = 50


class GenerateArguments(Arguments):
    """`POST generate/sync` and `generate/async`."""

    prompt: Annotated[str, Field(max_length=MAX_PROMPT_CHARS)]
    params: Annotated[Parameters, BeforeValidator(_read)] = Field(default_factory=Parameters)
    servers: Annotated[list[ShortText], Field(max_length=MAX_NAMES)] = Field(default_factory=list)
    """Ids of the only servers that may make it; none: any."""


class PopArguments(Arguments):
    """`POST generate/pop`."""

    name: ShortText
    max_pixels: Count = 512 * 512
    """The largest area that the server can make."""
    priority_usernames: Annotated[list[ShortText], Field(max_length=MAX_OFFERED)] = Field(
        default_factory=list
    )


class SubmitArguments(Arguments):
    """`POST generate/submit`."""

    id: ShortText
    generation: Annotated[str, Field(min_length=1, max_length=MAX_PICTURE_CHARS), Sent()]
    """The picture, as base64."""
    seed: Count


class UserArguments(Arguments):
    """`PUT users/{id}`."""

    kudos: Annotated[float | None, Field(allow_inf_nan=False)] = None
    """To be added."""
    concurrency: Annotated[int | None, Field(ge=0, le=100_000)] = None
    usage_multiplier: Annotated[float | None, Field(ge=0.1, le=10)] = None


class ServerArguments(Arguments):
    """`PUT servers/{id}`."""

    maintenance: bool | None = None
    paused: bool | None = None


class TransferArguments(Arguments):
    """`POST kudos/transfer`."""

    username: ShortText
    """The receiver, `name#id`."""
    amount: Count = 100


class MaintenanceArguments(Arguments):
    """`PUT admin/maintenance`."""

    active: bool


class Asked(Answer):
    """The request that was queued."""

    id: str


class Generation(Answer):
    """A finished picture."""

    img: str
    """Base64 WebP."""
    seed: int
    server_id: str
    server_name: str


class Progress(Answer):
    """How far a request is."""

    finished: int
    processing: int
    waiting: int
    done: bool
    wait_time: int
    """Seconds."""
    queue_position: int


class ProgressWithGenerations(Progress):
    """How far a request is, with its pictures."""

    generations: list[Generation]


class Popped(Answer):
    """A job."""

    payload: dict[str, Any]
    id: str


class NothingPopped(Answer):
    """No job, and why the server got none of those that wait."""

    id: None = None
    skipped: dict[str, int]


class Submitted(Answer):
    """What the server earned."""

    reward: float


class Usage(Answer):
    """What a user asked for."""

    megapixelsteps: float = 0.0
    requests: int = 0


class Contributions(Answer):
    """What a user's servers made."""

    megapixelsteps: float = 0.0
    fulfillments: int = 0


class KudosDetails(Answer):
    """Where a user's kudos came from."""

    accumulated: float = 0.0
    gifted: float = 0.0
    admin: float = 0.0
    received: float = 0.0


class ListedUser(Answer):
    """A user in the list of all; there the alias is the key."""

    id: int
    kudos: float
    kudos_details: KudosDetails
    usage: Usage
    contributions: Contributions
    concurrency: int


class User(Answer):
    """A user."""

    username: str
    kudos: float
    usage: Usage
    contributions: Contributions
    concurrency: int


class ChangedUser(Answer):
    """What was changed."""

    new_kudos: Omitted[float] = None
    concurrency: Omitted[int] = None
    usage_multiplier: Omitted[float] = None


class ServerKudos(Answer):
    """What a server earned its kudos with."""

    generated: float
    uptime: float


class ListedServer(Answer):
    """A server that was seen within the last 300 seconds."""

    name: str
    id: str
    max_pixels: int
    megapixelsteps_generated: float
    requests_fulfilled: int
    kudos_rewards: float
    kudos_details: ServerKudos
    performance: str
    uptime: int
    """Seconds."""
    maintenance_mode: bool


class Server(Answer):
    """A server, even if it is offline."""

    name: str
    id: str
    max_pixels: int
    megapixelsteps_generated: float
    requests_fulfilled: int
    latest_performance: str
    maintenance_mode: bool


class ChangedServer(Answer):
    """What was changed."""

    maintenance: Omitted[bool] = None
    paused: Omitted[bool] = None


class Transferred(Answer):
    """What was given."""

    transfered: int


class Performance(Answer):
    """The queue, and who works on it."""

    queued_requests: int
    queued_megapixelsteps: float
    megapixelsteps_per_min: float
    server_count: int
    maintenance_mode: bool


class Maintenance(Answer):
    """Whether the horde takes no requests."""

    maintenance_mode: bool
