"""Logs: one line for each event, text on a terminal and JSON elsewhere, to standard error.

Modules log by `structlog.get_logger(__name__)`: `log.info("jobs.claimed", worker=…)`. What
`structlog.contextvars` binds (the request's id, say) is in every line of that request. Libraries
that use the standard `logging` are logged in the same form. No line holds a secret: see `redact`.
"""

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, Final, Literal, TextIO

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from core import failures

OURS: Final = ("core", "web", "worker", "cli")
"""Packages with the chosen level; libraries log warnings and above."""
REDACTED: Final = "[redacted]"

_SECRET_KEYS: Final = re.compile(
    r"api[_-]?key|authorization|cookie|csrf|passkey|passw|secret|signature|(?:^|[_-])token$",
    re.IGNORECASE,
)
# Each takes time proportional to the text, whatever is in it: texts come from strangers.
_SECRETS_IN_TEXT: Final = (
    # A signed link: its whole query, as anybody who has it may use the link.
    (re.compile(r"\?[^\s\"'<>?]*\bsignature=[^\s\"'<>]*", re.IGNORECASE), f"?{REDACTED}"),
    # The password in postgresql://user:password@host.
    (re.compile(r"(://[^\s/:@]*:)[^\s/@]+@"), rf"\1{REDACTED}@"),
    # Headers and assignments, in any notation: apikey: x, {'apikey': 'x'}, (b'apikey', b'x'),
    # Authorization: Bearer x, token=x.
    (
        re.compile(
            r"((?:api[-_]?key|authorization|cookie|passkey|password|secret|signature|token)"
            r"(?:[\"']?\s*[:=]\s*|[\"']\s*,\s*)(?:b?[\"'])?(?:(?:Bearer|Basic)\s+)?)[^\s\"',;&})]+",
            re.IGNORECASE,
        ),
        rf"\1{REDACTED}",
    ),
)


def configure(
    *,
    form: Literal["auto", "json", "text"],
    level: Literal["debug", "info", "warning", "error"],
    stream: TextIO | None = None,
) -> None:
    """Set up the logs of this process; may be called again.

    form: `auto` is text on a terminal, else JSON.
    stream: where to; None: standard error.
    """
    stream = stream or sys.stderr
    as_text = form == "text" or (form == "auto" and stream.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,  # so that tests and forks can configure again
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=_rendering(as_text=as_text, colors=stream.isatty())
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level.upper()]))
    for package in OURS:
        logging.getLogger(package).setLevel(level.upper())
    logging.captureWarnings(capture=True)


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Remove secrets from a line: values by their key's name, and in texts what looks like one.

    A bare API key in a sentence can't be distinguished from other words, so keys are logged by name
    or not at all. Runs after exceptions were rendered.
    """
    return {key: _clean(key, value) for key, value in event.items()}


def briefly(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace the traceback of a full disk or an unreachable database, which are no defects.

    Background duties try again and again, and would fill the disk with tracebacks.
    """
    given = event.get("exc_info")
    error = given[1] if isinstance(given, tuple) else given
    error = sys.exc_info()[1] if error is True else error
    if isinstance(error, BaseException) and (why := failures.of_storage(error)) is not None:
        del event["exc_info"]
        event["reason"] = why
    return event


def _rendering(*, as_text: bool, colors: bool) -> list[Processor]:
    last: list[Processor] = (
        [structlog.dev.ConsoleRenderer(colors=colors)]
        if as_text
        else [structlog.processors.JSONRenderer(default=str, ensure_ascii=False)]
    )
    return [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        briefly,
        structlog.processors.format_exc_info,
        redact,
        *last,
    ]


def _clean(key: str, value: Any) -> Any:  # noqa: ANN401 - whatever is logged
    if _SECRET_KEYS.search(key):
        return REDACTED
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {_scrub(str(name)): _clean(str(name), inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        match value:
            case (str() | bytes() as name, inner):  # a header, perhaps
                return [_clean("", name), _clean(str(name), inner)]
        return [_clean("", inner) for inner in value]
    return _scrub(str(value))


def _scrub(text: str) -> str:
    for pattern, replacement in _SECRETS_IN_TEXT:
        text = pattern.sub(replacement, text)
    return text
