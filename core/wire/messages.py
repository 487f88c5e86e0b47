"""Messages from moderators and owners to workers."""

from core.wire.model import Answer
from core.wire.scalars import Omitted, Rfc822Date


class ResponseModelMessagePop(Answer):
    """A message as a worker gets it with a pop."""

    id: str
    message: str
    origin: Omitted[str] = None
    """Who wrote it: `moderator` or a user's alias."""
    expiry: Rfc822Date


class ResponseModelMessage(ResponseModelMessagePop):
    """A message as everybody else sees it."""

    worker_id: str
    user_id: str
    created: Rfc822Date
