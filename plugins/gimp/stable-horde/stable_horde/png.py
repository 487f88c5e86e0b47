"""Writes PNG (ISO/IEC 15948), 8 bits a channel: there is no library for it inside GIMP."""

import struct
import zlib
from typing import Final

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
COLOUR_TYPES: Final = {1: 0, 2: 4, 3: 2, 4: 6}
"""By the number of channels: grey, grey and alpha, RGB, RGBA."""
UP: Final = b"\x02"
LEVEL: Final = 6


def encode(width: int, height: int, channels: int, pixels: bytes) -> bytes:
    """A PNG of rows of pixels, sRGB.

    Each row is written as its difference from the row above, which makes photographs a third
    smaller. Raises ValueError if there are not as many bytes as the size says.
    """
    stride = width * channels
    if len(pixels) != stride * height:
        raise ValueError(f"{width} x {height} x {channels} is not {len(pixels)} bytes")
    header = struct.pack(">IIBBBBB", width, height, 8, COLOUR_TYPES[channels], 0, 0, 0)
    packer = zlib.compressobj(LEVEL)
    packed: list[bytes] = []
    above = bytes(stride)
    for start in range(0, len(pixels), stride):
        row = pixels[start : start + stride]
        packed.append(packer.compress(UP + _minus(row, above)))
        above = row
    packed.append(packer.flush())
    parts = [(b"IHDR", header), (b"sRGB", b"\0"), (b"IDAT", b"".join(packed)), (b"IEND", b"")]
    return SIGNATURE + b"".join(_chunk(kind, data) for kind, data in parts)


def _minus(row: bytes, other: bytes) -> bytes:
    """Subtract byte by byte, modulo 256, all at once: as one long number without borrows."""
    count = len(row)
    high = int.from_bytes(b"\x80" * count, "big")
    first, second = int.from_bytes(row, "big"), int.from_bytes(other, "big")
    low = (first | high) - (second & ~high)
    return (low ^ ((first ^ ~second) & high)).to_bytes(count, "big")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
