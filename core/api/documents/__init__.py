"""Terms, privacy, sponsors and news: texts that ship, or the operator's own in their place.

A text is Markdown. What it says of times is filled in from the settings, as in
`$request_minutes`, so that it stays true where these are changed.
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
    """A document as HTML, without a page around it."""
    return str(_MARKDOWN.render(markdown(name, settings)))


def news(settings: Settings) -> list[Newspiece]:
    """What is new, the newest first."""
    pieces = _NEWS.validate_python(json.loads(_read("news.json", settings)))
    return sorted(pieces, key=lambda piece: piece.date_published, reverse=True)


def _scorer(settings: Settings) -> str:
    """What is said of the service that judges addresses, where the operator chose one."""
    if not settings.address_scorer_url:
        return "No address is told to anybody else."
    host = urlsplit(settings.address_scorer_url).hostname
    return (
        f"`{host}` is asked whether an address hides its user (VPN, proxy), and so gets to know it."
    )


def _read(file: str, settings: Settings) -> str:
    own = settings.documents_dir and settings.documents_dir / file
    return (own if own and own.exists() else _HERE / file).read_text(encoding="utf-8")
