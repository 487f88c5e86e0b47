"""`/api/v2/interrogate`: asking for forms of a picture, and the worker's side.

Each thing wanted of a picture is a *form*: a job of its own, with a result of its own.
"""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, JsonValue, StrictInt

from core import features
from core.wire.limits import MAX_LIST, FreeObject, Name, Offered, Picture, Reason, ResultObject
from core.wire.messages import ResponseModelMessagePop
from core.wire.model import Answer, Request
from core.wire.scalars import WHOLE, Boolean, Integer, Known, Maybe, Number, Omitted, String

if TYPE_CHECKING:
    Form = str
else:  # type checkers cannot know what a table holds
    Form = Literal[tuple(features.FORMS)]

ModelInterrogationFormPayloadStable = dict[str, JsonValue]
"""Free parameters of a form."""

InterrogationFormResult = dict[str, JsonValue]
"""By the form's name: `{"caption": "..."}`; a post-processor's is the URL of its picture."""


class ModelInterrogationFormStable(Request):
    """One form that is wanted."""

    name: Form
    payload: Maybe[FreeObject] = None


class ModelInterrogationInputStable(Request):
    """`POST interrogate/async`: what is wanted of a picture."""

    forms: Annotated[list[ModelInterrogationFormStable], Field(max_length=MAX_LIST)] = Field(
        default_factory=list
    )
    source_image: Picture
    """Base64, or a URL that starts with `http`, which goes to the worker as it is."""
    trusted_workers: Boolean = False
    """Only workers of trusted users."""
    slow_workers: Boolean = True
    """False: only fast workers, at a surcharge."""
    webhook: Maybe[Annotated[String, Field(min_length=10, max_length=1024)]] = None
    """An https URL that gets each result as it is finished."""


class RequestInterrogationResponse(Answer):
    """202: the forms are queued."""

    id: str
    """Whoever knows it may read and cancel the request."""
    message: str | None = None


class InterrogationFormStatus(Answer):
    """The status of one form."""

    form: str
    state: str
    """waiting, processing, done, cancelled or faulted."""
    result: Omitted[InterrogationFormResult] = None
    faults: Omitted[int] = None
    """How many tries failed, if any. Ours."""
    reason: Omitted[str] = None
    """Why the last of them failed, in its worker's words. Ours."""


class InterrogationStatus(Answer):
    """The status of the forms, together and one by one, in any order."""

    state: str
    """Of all of them: like that of one, or partial."""
    forms: list[InterrogationFormStatus]


class InterrogationPopInput(Request):
    """What a worker that serves forms declares."""

    name: Name
    """The worker's name, unique among all workers."""
    priority_usernames: Offered = Field(default_factory=list)
    """Aliases (`name#id`) whose requests go first."""
    forms: Annotated[list[Form], Field(max_length=MAX_LIST)] = Field(default_factory=list)
    """What it can serve."""
    also: Annotated[list[Form], Field(max_length=MAX_LIST)] = Field(default_factory=list)
    """What it serves with another network than the form is named for, which the result says in its
    `gen_metadata` (our extension)."""
    amount: Integer = 1
    """The most forms it takes, of any requests."""
    bridge_agent: Annotated[String, Field(max_length=1000)] = "unknown:0:unknown"
    """`name:version:url` of its program."""
    threads: Annotated[StrictInt, Field(ge=1, le=100), WHOLE] = 1
    """How many forms it works on at once."""
    max_tiles: Annotated[StrictInt, Field(ge=1, le=256), WHOLE] = 80
    """The largest picture that it post-processes, in tiles of 512 x 512 pixels; those that it only
    looks at may be larger."""
    wait: Annotated[Number, Field(ge=0, le=30)] = 0.0
    """Seconds to wait for work before the answer says that there is none (our extension)."""


class InterrogationPopFormPayload(Answer):
    """One form to serve within 180 seconds."""

    id: str
    form: Annotated[str, Known(Form)]
    payload: Omitted[ModelInterrogationFormPayloadStable] = None
    source_image: str
    """A URL."""
    r2_upload: Omitted[str] = None
    """The URL, to be used unchanged, to which the picture of a post-processor is PUT as WebP."""


class NoValidInterrogationsFound(Answer):
    """How many waiting forms the worker could not serve, by reason."""

    worker_id: Omitted[int] = None
    untrusted: Omitted[int] = None
    bridge_version: Omitted[int] = None


class InterrogationPopPayload(Answer):
    """Forms to serve, or, if there are none, why."""

    forms: list[InterrogationPopFormPayload] | None = None
    skipped: NoValidInterrogationsFound = Field(default_factory=NoValidInterrogationsFound)
    messages: Omitted[list[ResponseModelMessagePop]] = None
    """Left out if there are none (our extension: the workers of other kinds get them)."""


class InterrogationSubmitInput(Request):
    """`POST interrogate/submit`: the result of a form."""

    id: Name
    """The form's id, from the pop."""
    result: ResultObject
    """As in the status; `R2` stands for an uploaded picture."""
    state: Name = "ok"
    """`faulted` gives the form back."""
    reason: Maybe[Reason] = None
    """Why it is given back, for the requester. Ours."""
