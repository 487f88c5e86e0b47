"""What can go wrong when a client calls a horde.

    HordeError
      + Unreachable            no answer: no connection, a broken one, or too slow
      + TimedOut               the caller's own time is over; the request lives on
      + UnexpectedAnswer       an answer, but not one the API gives
      | + TooLarge             it is longer than the caller wants
      | + UnreadableJobs       it hands out jobs, but describes them wrongly
      + Invalid                400: `errors` says what is wrong with which field
      | + AlreadySubmitted     the job has its result
      + Unauthenticated        401: the server does not know the key
      + Forbidden              403
      | + InMaintenance        the worker must take no more jobs
      + NotFound               404
      + JobGone                400 or 404: the job was given to somebody else, or is gone
      + TooMany                429
      + Unavailable            5xx, or 408

No error holds the API key, a prompt or the query of a URL (which may be a signature).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final

from pydantic_core import from_json

MAX_MESSAGE_CHARS: Final = 1000
"""Characters of a server's message that are kept."""


class HordeError(Exception):
    """A call failed.

    status: the HTTP status; None if there was no answer.
    rc: the server's return code, to branch on; None if it gave none.
    message: a sentence for people.
    errors: what is wrong with the request, by dotted path.
    retry_after_seconds: how long the server asks to wait.
    """

    def __init__(
        self,
        status: int | None,
        rc: str | None,
        message: str,
        errors: Mapping[str, str] | None = None,
        *,
        retry_after_seconds: float | None = None,
    ) -> None:
        self.status = status
        self.rc = rc
        self.message = message
        self.errors = dict(errors or {})
        self.retry_after_seconds = retry_after_seconds
        details = "; ".join(f"{path}: {text}" for path, text in self.errors.items())
        super().__init__(f"The request is not valid: {details}" if details else message)


class Unreachable(HordeError):
    """There was no answer; it is unknown whether the server has acted."""

    def __init__(self, message: str) -> None:
        super().__init__(None, None, message)


class TimedOut(HordeError):
    """The awaited result did not come within the caller's time."""

    def __init__(self, seconds: float) -> None:
        super().__init__(None, None, f"Not done after {seconds:g} s.")


class UnexpectedAnswer(HordeError):
    """The answer is not one of the API: another program answers, or another version."""


class TooLarge(UnexpectedAnswer):
    """The answer is longer than the caller wants; the rest was not read."""


class UnreadableJobs(UnexpectedAnswer):
    """A pop handed out jobs in a form that the API does not have.

    ids: of these jobs; the caller should give them back.
    """

    def __init__(self, ids: Sequence[str], message: str) -> None:
        super().__init__(None, None, message)
        self.ids = tuple(ids)


class Invalid(HordeError):
    """The server refuses the request as it is."""


class AlreadySubmitted(Invalid):
    """The job has its result already."""


class Unauthenticated(HordeError):
    """The server does not know the key."""


class Forbidden(HordeError):
    """The key's user may not do this."""


class InMaintenance(Forbidden):
    """The worker is in maintenance: it must take no more jobs until its owner ends that."""


class NotFound(HordeError):
    """No such thing, or no longer."""


class JobGone(HordeError):
    """The job is no longer this worker's: too late, given back, or its request has ended."""


class TooMany(HordeError):
    """Too many calls, or too much waiting already."""


class Unavailable(HordeError):
    """The server, or something before it, cannot answer now."""


_BY_CODE: Final[dict[str, type[HordeError]]] = {
    "DuplicateGen": AlreadySubmitted,
    "AbortedGen": JobGone,
    "InvalidJobID": JobGone,
    "WorkerMaintenance": InMaintenance,
    "WorkerFlaggedMaintenance": InMaintenance,
}

_BY_STATUS: Final[dict[int, type[HordeError]]] = {
    400: Invalid,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    408: Unavailable,
    429: TooMany,
}


def from_answer(status: int, headers: Mapping[str, str], content: bytes) -> HordeError:
    """Read the error that a server answered (status 400 and above)."""
    body = _body(content)
    rc = body.get("rc")
    message = body.get("message")
    errors = body.get("errors")
    kind = _BY_STATUS.get(status, Unavailable if status >= 500 else UnexpectedAnswer)  # noqa: PLR2004
    if not isinstance(message, str):
        message = _reason(status)
    elif kind is TooMany and rc is None:  # a limit by time says no more than "10 per 1 minute"
        message = f"Too many calls: {message}."
    return _BY_CODE.get(str(rc), kind)(
        status,
        rc if isinstance(rc, str) else None,
        message[:MAX_MESSAGE_CHARS],
        {str(path): str(text) for path, text in errors.items()}
        if isinstance(errors, dict)
        else None,
        retry_after_seconds=_retry_after(headers.get("Retry-After")),
    )


def _body(content: bytes) -> dict[str, Any]:
    try:
        body = from_json(content)
    except ValueError:
        return {}  # a proxy's page
    return body if isinstance(body, dict) else {}


def _reason(status: int) -> str:
    try:
        return f"The server answered {status} {HTTPStatus(status).phrase}."
    except ValueError:
        return f"The server answered {status}."


def _retry_after(header: str | None) -> float | None:
    """Read seconds or a date (RFC 9110, 10.2.3); None for other text."""
    if header is None:
        return None
    if header.isdecimal():
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
