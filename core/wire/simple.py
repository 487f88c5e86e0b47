"""The answer to what leaves nothing else to say."""

from core.wire.model import Answer


class SimpleResponse(Answer):
    """It is done."""

    message: str = "OK"
