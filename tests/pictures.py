"""Pictures for tests, as bytes and as the base64 that travels in JSON."""

import base64
import struct
import zlib
from io import BytesIO

from PIL import Image


def encoded(picture):
    """Base64 of bytes."""
    return base64.b64encode(picture).decode()


def picture(size=(64, 64), mode="RGB", form="PNG", colour=0):
    """A picture of one colour."""
    file = BytesIO()
    Image.new(mode, size, colour).save(file, form)
    return file.getvalue()


def padded(webp, size):
    """The simple WebP grown to so many bytes, which belong to its pixels but say nothing."""
    extra = bytes(size - len(webp))
    riff, pixels = (int.from_bytes(webp[at : at + 4], "little") + len(extra) for at in (4, 16))
    told = struct.pack("<I", riff) + webp[8:16] + struct.pack("<I", pixels)
    return webp[:4] + told + webp[20:] + extra


def bomb(width=60_000, height=60_000):
    """A small PNG that says it is huge."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", b"") + _chunk(b"IEND", b"")
    )


def _chunk(kind, content):
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


SOURCE = encoded(picture())
TRANSPARENT = encoded(picture(mode="RGBA"))
MASK = encoded(picture(mode="L", colour=255))
WEBP = picture(form="WEBP")
RESULT = encoded(WEBP)
BOMB = encoded(bomb())
OVERSIZE = encoded(picture(size=(3073, 3072), mode="1"))
NO_PICTURE = encoded(b"This is not a picture.")
