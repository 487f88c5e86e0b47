"""Error bodies. A domain error has a return code to branch on; a validation error has none."""

from core.wire.model import Answer
from core.wire.scalars import Omitted


class RequestError(Answer):
    """Any error: `rc` is absent if no domain rule refused (rate limits, bad JSON, 405, 500)."""

    message: str
    rc: Omitted[str] = None


class RequestValidationError(Answer):
    """Status 400: everything that is wrong with the body, by dotted path."""

    message: str = "Input payload validation failed"
    errors: dict[str, str]
