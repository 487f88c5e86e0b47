"""`/api/v2/documents` and `/api/v2/status/news`."""

from collections.abc import Sequence
from typing import Annotated, Literal

from core.wire.model import Answer
from core.wire.scalars import Known, Omitted

Importance = Literal["Information", "Warning", "Critical"]


class HordeDocument(Answer):
    """A document, in the requested format."""

    html: Omitted[str] = None
    markdown: Omitted[str] = None


class Newspiece(Answer):
    """News about the horde."""

    date_published: str
    """`YYYY-MM-DD`."""
    newspiece: str
    """The news, as Markdown."""
    importance: Annotated[str, Known(Importance)] = "Information"
    tags: Sequence[str] = ()
    title: str
    more_info_urls: Sequence[str] = ()
