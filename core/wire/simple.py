"""The answer when there is nothing else to say."""

from core.wire.model import Answer


class SimpleResponse(Answer):
    """It is done."""

    message: str = "OK"
