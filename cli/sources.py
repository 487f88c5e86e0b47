"""Pictures to start from: a file, an address or standard input, as the API takes them."""

import base64
import io
import sys
from pathlib import Path
from typing import Final

from cli.exits import Exit, Failure

MAX_BYTES: Final = 20 * 1024 * 1024
QUALITY: Final = 95
"""Of the WebP that other formats become on their way."""


def picture(place: str) -> str:
    """A picture as base64; an address on the web stays one. Raises Failure."""
    return _encoded(place, lossless=False)


def mask(place: str) -> str:
    """The same for a mask, whose edges stay sharp."""
    return _encoded(place, lossless=True)


def _encoded(place: str, *, lossless: bool) -> str:
    if place.startswith(("http://", "https://")):
        return place
    content = _read(place)
    if content[8:12] != b"WEBP":
        content = _webp(place, content, lossless=lossless)
    return base64.b64encode(content).decode()


def _read(place: str) -> bytes:
    try:
        if place == "-":
            content = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(place).open("rb") as file:
                content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Failure(Exit.USAGE, f"{place} cannot be read: {error.strerror}.") from None
    if len(content) > MAX_BYTES:
        raise Failure(Exit.USAGE, f"{place} is larger than {MAX_BYTES // 1024 // 1024} MB.")
    return content


def _webp(place: str, content: bytes, *, lossless: bool) -> bytes:
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - few commands need it

    written = io.BytesIO()
    try:
        with Image.open(io.BytesIO(content)) as image:
            image.save(written, "WEBP", quality=QUALITY, lossless=lossless)
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        raise Failure(Exit.USAGE, f"{place} is not a picture that can be read.") from None
    return written.getvalue()
