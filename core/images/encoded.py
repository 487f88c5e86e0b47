"""Says what is wrong with a text that should be a picture in base64 and is not."""

from typing import Final

DATA_URL: Final = "data:"
OF_URLS: Final = frozenset("-_")


def fault_of(text: str) -> str | None:
    """Say which usual mistake the text is; None where it is none of them."""
    if text.lstrip()[: len(DATA_URL)].lower() == DATA_URL:
        return "it is a data: URL; please send what follows its comma, without `data:…,`"
    if not OF_URLS.isdisjoint(text):
        return "it is not base64, or that for URLs; please send + and / rather than - and _"
    return None
