"""Messages from moderators and owners to workers."""

from typing import Annotated

from pydantic import Field, StrictInt

from core.wire.limits import MAX_MESSAGE_CHARS
from core.wire.model import Answer, Request
from core.wire.scalars import WHOLE, Maybe, Omitted, Rfc822Date, String


class ResponseModelMessagePop(Answer):
    """A message, as a worker gets it with a pop."""

    id: str
    message: str
    origin: Omitted[str] = None
    """The name under which it is sent: as its author chose, else the author's id."""
    expiry: Rfc822Date


class ResponseModelMessage(ResponseModelMessagePop):
    """A message, as everybody else sees it."""

    worker_id: Omitted[str] = None
    """Left out if it is for all workers."""
    user_id: str
    """Who wrote it."""
    created: Rfc822Date


class ResponseModelMessage__Input(Request):  # noqa: N801 - the contract's name
    """`POST workers/messages`: a message for a worker, sent with its pops."""

    worker_id: Maybe[Annotated[String, Field(min_length=36, max_length=36)]] = None
    """Moderators may leave it out: then it is for all workers."""
    message: Annotated[String, Field(min_length=1, max_length=MAX_MESSAGE_CHARS)]
    origin: Maybe[Annotated[String, Field(min_length=1, max_length=255)]] = None
    """The name under which it is sent; the author's id if absent."""
    expiry: Annotated[StrictInt, Field(ge=1, le=720), WHOLE] = 12
    """Hours."""
