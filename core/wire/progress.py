"""`POST /api/v2/generate/progress` (ours): a worker says how far it is with jobs, and shows it.

A worker that says so regularly is known to be alive: once it falls silent, its jobs are given to
somebody else before their time is over. Nothing of it is stored, and no deadline is moved.
"""

from typing import Annotated, Final

from pydantic import Field, StrictInt

from core.wire.limits import MAX_TEXT_RESULT_CHARS, Name
from core.wire.model import Answer, Request
from core.wire.scalars import WHOLE, Maybe, String

MAX_PREVIEW_BYTES: Final = 24_000
MAX_PREVIEW_CHARS: Final = MAX_PREVIEW_BYTES * 4 // 3 + 4
MAX_JOBS: Final = 20
MAX_STEPS: Final = 10**6


class JobAtWork(Request):
    """One job that is being worked on."""

    id: Name
    """The job's, from the pop."""
    preview: Maybe[Annotated[String, Field(max_length=MAX_PREVIEW_CHARS)]] = None
    """What its picture will look like: a WebP of at most 24,000 bytes, as base64."""
    text: Maybe[Annotated[String, Field(max_length=MAX_TEXT_RESULT_CHARS)]] = None
    """What is written of it so far."""


class ProgressInput(Request):
    """Jobs of one request that are made together, and how far they are."""

    jobs: Annotated[list[JobAtWork], Field(min_length=1, max_length=MAX_JOBS)]
    step: Annotated[StrictInt, Field(ge=0, le=MAX_STEPS), WHOLE] = 0
    """How many steps are done; 0: they wait for their turn."""
    steps: Annotated[StrictInt, Field(ge=1, le=MAX_STEPS), WHOLE] = 1
    """How many there will be."""


class ProgressHeard(Answer):
    """What the worker should know in return."""

    gone: list[str]
    """Jobs that are not the worker's any more: nobody waits for what it makes of them."""
    watched: bool
    """Whether somebody may be looking on: previews and texts are of use."""
    seconds: float
    """How long it may wait before it says so again."""
