"""Says what is wrong with a text that should be a picture in base64 but is not."""

from typing import Final

DATA_URL: Final = "data:"
OF_URLS: Final = frozenset("-_")


def fault_of(text: str) -> str | None:
    """Name the usual mistake in the text; None if it is another one."""
    if text.lstrip()[: len(DATA_URL)].lower() == DATA_URL:
        return "it is a data: URL; please send what follows its comma, without `data:…,`"
    if not OF_URLS.isdisjoint(text):
        return "it is not base64, or base64 for URLs; please send + and / rather than - and _"
    return None
