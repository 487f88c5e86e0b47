"""Structured logs on standard error, without secrets: keys, tokens and prompts are never logged."""

import logging
import re
import sys
from typing import Final

import structlog

_TOKENS: Final = re.compile(r"(/(?:webhooks|interactions)/\d+/)[^/\s?]+")
"""Addresses at Discord that whoever has them may use."""


class _NoTokens(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        """Take the tokens of interactions out of what discord.py says."""
        record.msg, record.args = _TOKENS.sub(r"\1…", record.getMessage()), ()
        return True


def configure(form: str, level: str) -> None:
    """Set the form (`json`, `text`, `auto` for text on a terminal) and the least level."""
    text = form == "text" or (form == "auto" and sys.stderr.isatty())
    processors: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    last: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer() if text else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[*processors, last],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_NoTokens())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=processors, processor=last)
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
