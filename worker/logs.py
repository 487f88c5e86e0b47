"""Structured logs of the control process, on standard error."""

import contextlib
import logging
import sys
from typing import TextIO, cast

import structlog


class Unfailing:
    """A stream that drops what cannot be written: a full disk must not end any work."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write it, if possible."""
        with contextlib.suppress(OSError, ValueError):
            return self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush it, if possible."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()


def configure(wanted: str, level: str) -> None:
    """Set the form (`json`, `text`, `auto` for text on a terminal) and the least level."""
    text = wanted == "text" or (wanted == "auto" and sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer() if text else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", Unfailing(sys.stderr))),
        cache_logger_on_first_use=True,
    )
