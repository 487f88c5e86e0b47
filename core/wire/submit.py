"""`POST /api/v2/generate/submit`: a worker is done with a job."""

from typing import Annotated, Final, Literal

from pydantic import Field

from core.wire.image import MetadataType, MetadataValue
from core.wire.limits import MAX_METADATA, Name, Picture, Reason
from core.wire.model import Answer, Request
from core.wire.scalars import Boolean, Integer, Maybe, String

UPLOADED: Final = "R2"
"""The stand-in for an uploaded picture."""

SubmittedState = Literal["ok", "censored", "faulted", "csam"]


class GenerationMetadataStable(Request):
    """A note about a picture, such as an adaptation that could not be downloaded."""

    type: MetadataType
    value: MetadataValue
    ref: Maybe[Annotated[String, Field(max_length=255)]] = None
    """The subject of the note, or the value itself if `value` is `see_ref`."""


class SubmitInput(Request):
    """What workers of any kind submit."""

    id: Name
    """The job's id, from the pop."""
    generation: Picture
    """The result: for a picture `R2` once it is uploaded, else base64 WebP."""
    state: SubmittedState = "ok"
    """`faulted` gives the job back."""
    reason: Maybe[Reason] = None
    """Why it is given back, for the requester; without it the notes in `gen_metadata` say so.
    Ours."""


class SubmitInputStable(SubmitInput):
    """What a worker submits for a picture."""

    seed: Integer
    censored: Boolean = False
    """Without effect: `gen_metadata` reports censorship."""
    gen_metadata: Annotated[list[GenerationMetadataStable], Field(max_length=MAX_METADATA)] = Field(
        default_factory=list
    )


class GenerationSubmitted(Answer):
    """What the worker earned."""

    reward: float
    """Kudos; 0.0 for a fault."""
