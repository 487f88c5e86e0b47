"""Terms, privacy, sponsors and news: shipped texts, or the operator's own in their place.

A text is Markdown. Times are filled in from the settings, as in `$request_minutes`, so that it
stays true when these change.
"""

import json
from pathlib import Path
from string import Template
from typing import Final, Literal, get_args
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from pydantic import TypeAdapter

from core.settings import Settings
from core.wire.documents import Newspiece

Name = Literal["terms", "privacy", "sponsors"]
NAMES: Final = get_args(Name)

_HERE = Path(__file__).parent
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
_NEWS = TypeAdapter(list[Newspiece])
_FILLED_IN = ("request_minutes", "picture_minutes", "session_days")


def markdown(name: Name, settings: Settings) -> str:
    """A document as Markdown."""
    values = {value: getattr(settings, value) for value in _FILLED_IN}
    values["address_scorer"] = _scorer(settings)
    return Template(_read(f"{name}.md", settings)).safe_substitute(values)


def html(name: Name, settings: Settings) -> str:
    """A document as an HTML fragment."""
    return str(_MARKDOWN.render(markdown(name, settings)))


def news(settings: Settings) -> list[Newspiece]:
    """The news, newest first."""
    pieces = _NEWS.validate_python(json.loads(_read("news.json", settings)))
    return sorted(pieces, key=lambda piece: piece.date_published, reverse=True)


def _scorer(settings: Settings) -> str:
    """The sentence about the service that judges addresses, if the operator chose one."""
    if not settings.address_scorer_url:
        return "No address is told to anybody else."
    host = urlsplit(settings.address_scorer_url).hostname
    return (
        f"`{host}` is asked whether an address hides its user (VPN, proxy), and so gets to know it."
    )


def _read(file: str, settings: Settings) -> str:
    own = settings.documents_dir and settings.documents_dir / file
    return (own if own and own.exists() else _HERE / file).read_text(encoding="utf-8")
