"""Moves pictures: to a signed URL, from a URL, out of base64. None of this sees the API key."""

import base64
import binascii
from typing import Final

import httpx

from core.client import calls
from core.client.errors import TooLarge, UnexpectedAnswer

MAX_BYTES: Final = 20 * 1024 * 1024
TRANSFER_SECONDS: Final = 120.0
"""For one attempt at one picture: 20 MiB need 1.4 Mbit/s."""


async def upload(http: httpx.AsyncClient, url: str, content: bytes) -> None:
    """PUT a picture to a signed URL, unchanged and without a content type, which is not signed."""
    await calls.fetch(
        http,
        calls.Call("PUT", url, headers={}, seconds=TRANSFER_SECONDS, content=content),
    )


async def download(http: httpx.AsyncClient, url: str, *, max_bytes: int) -> bytes:
    """GET a picture. Raises TooLarge without reading on."""
    return await calls.fetch(
        http,
        calls.Call(
            "GET",
            url,
            headers={"Accept-Encoding": "identity"},
            seconds=TRANSFER_SECONDS,
            longest_bytes=max_bytes,
            own_origin=False,
        ),
    )


def decode(text: str, *, max_bytes: int) -> bytes:
    """Read base64. Raises TooLarge, and UnexpectedAnswer if it is not base64."""
    if len(text) * 3 // 4 - text[-2:].count("=") > max_bytes:
        raise TooLarge(None, None, f"The picture has more than {max_bytes} bytes.")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise UnexpectedAnswer(
            None, None, "The horde sent neither a picture nor the address of one."
        ) from None
