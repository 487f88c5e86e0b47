"""The parts of a picture's file, counted before any of it is decoded.

A file of a few bytes can name a thousand scans, frames or compressed texts, each of which costs a
decoder as much as the picture itself. Formats without such parts, and parts that a decoder skips,
are bounded by the decoder's deadline alone.
"""

import re
import struct
import zlib
from typing import Final

from core.images import webp
from core.images.failures import ImageValidationFailed

MAX_SCANS: Final = 100
"""Scans of a JPEG: usual ones have up to ten."""
MAX_FRAMES: Final = 1000
"""Frames of an animation, or pages of a TIFF."""
MAX_CHUNKS: Final = 65_536
"""Parts of a PNG, and blocks of a GIF that hold no pixels."""
MAX_TEXTS: Final = 64
"""Texts and colour profiles in a PNG."""
MAX_TEXT_BYTES: Final = 16 * 1024 * 1024
"""The size of all of them once inflated; the decoder limits each of them to 1 MB."""

_MARKER: Final = re.compile(rb"\xff+([^\x00\x01\xff\xd0-\xd7])")
"""A marker of a JPEG: neither data that look like one, nor one that only restarts the decoder."""
_START, _SCAN, _END = 0xD8, 0xDA, 0xD9
"""Markers of a JPEG."""
_FRAME, _EXTENSION = 0x2C, 0x21
"""The first bytes of the blocks of a GIF."""
_TEXTS: Final = frozenset({b"tEXt", b"zTXt", b"iTXt", b"iCCP"})


def check(content: bytes) -> None:
    """Check that it has not too many parts of any kind. Raises ImageValidationFailed."""
    try:
        if content.startswith(b"\xff\xd8"):
            _check_jpeg(content)
        elif content.startswith(b"\x89PNG\r\n\x1a\n"):
            _check_png(content)
        elif content.startswith((b"GIF87a", b"GIF89a")):
            _check_gif(content)
        elif content.startswith((b"II*\0", b"MM\0*")):
            _check_tiff(content)
        elif webp.is_webp(content):
            _check_frames(content.count(b"ANMF"))
    except (IndexError, struct.error):
        return  # it is cut off, which the decoder reports better


def _check_jpeg(content: bytes) -> None:
    """Count scans as the decoder meets them: garbage between markers is skipped."""
    scans, at = 0, 2
    while (marker := _MARKER.search(content, at)) is not None:
        kind, at = marker[1][0], marker.end()
        if kind == _END:
            return
        if kind == _SCAN:
            scans += 1
            if scans > MAX_SCANS:
                raise ImageValidationFailed(f"it has more than {MAX_SCANS} scans")
        if kind != _START:
            at += max(2, int.from_bytes(content[at : at + 2], "big"))


def _check_png(content: bytes) -> None:
    texts, inflated, at = 0, 0, 8
    for _ in range(MAX_CHUNKS):
        length, kind = struct.unpack_from(">I4s", content, at)
        if kind in _TEXTS:
            texts += 1
            if texts > MAX_TEXTS:
                raise ImageValidationFailed(f"it has more than {MAX_TEXTS} texts")
            inflated += _inflated(kind, content[at + 8 : at + 8 + length])
            if inflated > MAX_TEXT_BYTES:
                raise ImageValidationFailed(f"its texts have more than {MAX_TEXT_BYTES} bytes")
        elif kind == b"acTL":
            _check_frames(int.from_bytes(content[at + 8 : at + 12], "big"))
        elif kind == b"IEND":
            return
        at += 12 + length
    raise ImageValidationFailed(f"it has more than {MAX_CHUNKS} parts")


def _inflated(kind: bytes, chunk: bytes) -> int:
    """How large a text is; a compressed one is inflated only until it is known to be too large."""
    if kind == b"tEXt":
        return len(chunk)
    if kind == b"iTXt":
        name, _, rest = chunk.partition(b"\0")
        if not rest.startswith(b"\1"):
            return len(chunk)
        _language, _, rest = rest[2:].partition(b"\0")
        _translated, _, packed = rest.partition(b"\0")
    else:
        name, _, packed = chunk.partition(b"\0")
        packed = packed[1:]  # the method, of which there is one
    try:
        return len(name) + len(zlib.decompressobj().decompress(packed, MAX_TEXT_BYTES + 1))
    except zlib.error:
        return len(chunk)


def _check_gif(content: bytes) -> None:
    frames = others = 0
    at = 13 + _colours(content[10])
    while at < len(content):
        kind = content[at]
        if kind == _FRAME:
            frames += 1
            _check_frames(frames)
            at += 10 + _colours(content[at + 9]) + 1
        elif kind == _EXTENSION:
            at += 2
        else:
            return
        while length := content[at]:
            at += 1 + length
            others += kind == _EXTENSION
        at += 1
        if others > MAX_CHUNKS:
            raise ImageValidationFailed(f"it has more than {MAX_CHUNKS} parts")


def _colours(flags: int) -> int:
    """Bytes of the table of colours that follows these flags."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _check_tiff(content: bytes) -> None:
    """Follow the chain of pages, which may be circular."""
    order = "<" if content.startswith(b"II") else ">"
    pages, (at,) = 0, struct.unpack_from(order + "I", content, 4)
    while at:
        pages += 1
        _check_frames(pages)
        (entries,) = struct.unpack_from(order + "H", content, at)
        (at,) = struct.unpack_from(order + "I", content, at + 2 + 12 * entries)


def _check_frames(count: int) -> None:
    if count > MAX_FRAMES:
        raise ImageValidationFailed(f"it has more than {MAX_FRAMES} frames")
