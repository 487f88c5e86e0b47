"""The structure of WebP files, read and cleaned without decoding a pixel or loading a decoder.

A file is `RIFF <length> WEBP` and chunks: one of pixels (`VP8 ` or `VP8L`), or `VP8X` and after it
a colour profile, animation, transparency, pixels and metadata. Bytes beyond the length in the
file's head belong to no picture. Nor do bytes behind the pixels in their own chunk, but only a
decoder knows where those end.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from core.images.failures import ImageValidationFailed

HEAD_BYTES: Final = 32
"""The start of a file that `size_of` and `has_alpha` need."""
MAX_CHUNKS: Final = 64
"""The most parts of a still picture; the format has seven kinds of them."""

_RIFF: Final = 12
_PROFILE, _ALPHA, _ANIMATED = 0x20, 0x10, 0x02
"""Flags of `VP8X`."""
_LOSSY, _LOSSLESS = b"\x9d\x01\x2a", 0x2F
"""The first bytes of pixels of either kind."""
_SIDE: Final = 0x3FFF
_TOLD: Final = 10
"""The bytes of a chunk that contain the picture's size."""
_PIXELS: Final = frozenset({b"VP8 ", b"VP8L"})
_FIRST: Final = _PIXELS | {b"VP8X"}
_KEPT: Final = _PIXELS | {b"ALPH"}
_MARKUP: Final = re.compile(
    rb"<(?:!doctype|!--|\?php|\?xml|body|html|iframe|img|script|svg)", re.IGNORECASE
)
_SIGNATURES: Final = (
    b"%PDF-",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"Rar!\x1a\x07",
    b"7z\xbc\xaf\x27\x1c",
)
"""Of files that some programs recognise wherever in another file they begin."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    kind: bytes
    start: int
    """The start of its content, which follows eight bytes of kind and length."""
    end: int

    @property
    def padded_end(self) -> int:
        return self.end + (self.end - self.start) % 2


def is_webp(content: bytes) -> bool:
    """Whether the file claims to be a WebP."""
    return content[:4] == b"RIFF" and content[8:_RIFF] == b"WEBP"


def size_of(head: bytes) -> tuple[int, int]:
    """Width and height, read from the start of the file. Raises ImageValidationFailed."""
    kind, start = head[_RIFF : _RIFF + 4], _RIFF + 8
    if not is_webp(head) or len(head) < start + _TOLD:
        raise _damaged()
    return _size(kind, head[start:])


def has_alpha(head: bytes) -> bool:
    """Whether the picture may be transparent somewhere, according to the start of the file."""
    kind, start = head[_RIFF : _RIFF + 4], _RIFF + 8
    if kind == b"VP8X":
        return bool(head[start] & _ALPHA)
    return kind == b"VP8L" and bool(head[start + 4] & 0x10)


def cleaned(content: bytes) -> bytes | None:
    """The still picture without metadata or anything else that does not belong to it.

    Returns the same object if there is nothing to leave out, and None if it needs a decoder: it is
    not a WebP, is animated, has a colour profile, or seems to hide another file among its pixels.

    Raises ImageValidationFailed if its parts contradict each other or are cut off.
    """
    if not is_webp(content):
        return None
    chunks = _chunks(content)
    first = next(chunks, None)
    if first is None or first.kind not in _FIRST:
        raise _damaged()
    size = _size(first.kind, content[first.start : first.end])
    if first.kind == b"VP8X" and content[first.start] & (_ANIMATED | _PROFILE):
        return None
    parts, last = [_part(content, first)], first
    while last.kind not in _PIXELS:
        last = next(chunks, first)
        if last is first:  # there are no pixels
            raise _damaged()
        if last.kind in _PIXELS and _size(last.kind, content[last.start : last.end]) != size:
            raise _damaged()
        if last.kind in _KEPT:
            parts.append(_part(content, last))
    for _ in chunks:  # the rest is left out, but has to be sound as well
        pass
    if any(map(_hides_another, parts)):
        return None
    length = sum(map(len, parts)) + 4
    made = b"".join((b"RIFF", struct.pack("<I", length), b"WEBP", *parts))
    return content if made == content else made


def _chunks(content: bytes) -> Iterator[_Chunk]:
    end = 8 + int.from_bytes(content[4:8], "little")
    if end > len(content):
        raise _damaged()
    at = _RIFF
    for _ in range(MAX_CHUNKS):
        if at + 8 > end:
            return
        length = int.from_bytes(content[at + 4 : at + 8], "little")
        chunk = _Chunk(content[at : at + 4], at + 8, at + 8 + length)
        if chunk.end > end:
            raise _damaged()
        yield chunk
        at = chunk.padded_end
    raise ImageValidationFailed("it has too many parts")


def _part(content: bytes, chunk: _Chunk) -> bytes:
    """The chunk with its head; in the extended header, the flags of omitted parts are cleared."""
    kept = content[chunk.start - 8 : chunk.end]
    if chunk.kind == b"VP8X":
        flags = content[chunk.start] & _ALPHA
        kept = b"".join((b"VP8X", struct.pack("<I", 10), bytes((flags, 0, 0, 0)), kept[12:18]))
    return kept + b"\0" * (len(kept) % 2)


def _hides_another(part: bytes) -> bool:
    """Whether it contains what may be a page, an archive or the like; rarely true of pixels."""
    return any(one in part for one in _SIGNATURES) or _MARKUP.search(part) is not None


def _size(kind: bytes, start: bytes) -> tuple[int, int]:
    """Width and height from the start of the chunk `VP8X`, `VP8L` or `VP8 `."""
    width = height = 0
    head = start[:_TOLD]
    if kind == b"VP8X" and len(head) == _TOLD:
        width, height = (1 + int.from_bytes(head[at : at + 3], "little") for at in (4, 7))
    elif kind == b"VP8L" and len(head) == _TOLD and head[0] == _LOSSLESS:
        bits = int.from_bytes(head[1:5], "little")
        width, height = 1 + (bits & _SIDE), 1 + (bits >> 14 & _SIDE)
    elif kind == b"VP8 " and len(head) == _TOLD and head[3:6] == _LOSSY and not head[0] & 1:
        width, height = (int.from_bytes(head[at : at + 2], "little") & _SIDE for at in (6, 8))
    if not (width and height):
        raise _damaged()
    return width, height


def _damaged() -> ImageValidationFailed:
    return ImageValidationFailed("it is damaged or cut off")
