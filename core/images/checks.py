"""Turns pictures that people and workers send as base64 into WebP, or says what is wrong with them.

What arrives is hostile until it is decoded: its size is read from its header before a pixel is,
only formats with a decoder inside Pillow are tried (EPS, say, would start an interpreter), and all
work happens in one thread of its own: a large picture takes a CPU for a second and some 200 MB.
Of an animation the first frame counts. A rotation told by EXIF is applied; metadata and colour
profiles are left behind.
"""

import asyncio
import binascii
import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Final, TypeVar

from PIL import Image, ImageOps, UnidentifiedImageError

from core.errors import Invalid
from core.images import encoded

T = TypeVar("T")

MAX_SOURCE_PIXELS: Final = 3072 * 3072
MAX_RESULT_PIXELS: Final = 8192 * 8192
"""A worker's picture may be an upscaled one."""
MAX_SIDE: Final = 16383
"""WebP's longest side, in pixels."""
SOURCE_QUALITY: Final = 50
RESULT_QUALITY: Final = 95
FORMATS: Final = (
    "PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM", "TGA",
)  # fmt: skip

_SLICE: Final = 1024 * 1024
"""Characters of base64 decoded at once: such a call holds the interpreter's lock."""
_DECODER: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="decode")

# What Pillow raises on files that are broken or lie; its decoders have no error of their own.
_UNREADABLE: Final = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    MemoryError,
    RuntimeError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


class ImageValidationFailed(Invalid):
    """What was sent is not a picture, or not one we take."""

    code = "ImageValidationFailed"

    def __init__(self, reason: str, *, is_picture: bool = True) -> None:
        """is_picture: whether it was known as a picture at all."""
        super().__init__(f"Image validation failed: {reason}.")
        self.is_picture = is_picture


class TooManyPixels(ImageValidationFailed):
    """The picture is larger than we take; the contract's code is that of a source picture."""

    code = "SourceImageResolutionExceeded"


async def decode_source(base64_text: str, *, max_pixels: int = MAX_SOURCE_PIXELS) -> bytes:
    """A source picture or mask as WebP, for workers: quality 50, colours kept where transparent.

    max_pixels: the largest area.

    Raises ImageValidationFailed.
    """
    return await _in_thread(_from_base64, base64_text, max_pixels, SOURCE_QUALITY)


async def convert_source(content: bytes) -> bytes:
    """The same of a picture that comes as bytes.

    Raises ImageValidationFailed.
    """
    return await _in_thread(_to_webp, content, MAX_SOURCE_PIXELS, SOURCE_QUALITY)


async def to_webp_from_base64(base64_text: str) -> bytes:
    """A worker's result as WebP, of quality 95; a still WebP stays as it is, byte for byte.

    Raises ImageValidationFailed.
    """
    return await _in_thread(_from_base64, base64_text, MAX_RESULT_PIXELS, None)


async def check_upload(content: bytes) -> None:
    """See that a worker's upload is a picture of a size we take; its pixels are not decoded.

    Raises ImageValidationFailed.
    """
    await asyncio.to_thread(_check_header, content)


def _check_header(content: bytes) -> None:
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as picture:
            _check_size(picture, MAX_RESULT_PIXELS)
    except _UNREADABLE as error:
        raise _failure(error) from error


def size_of(webp: bytes) -> tuple[int, int]:
    """Width and height of a picture that is ours; only its header is read."""
    with Image.open(BytesIO(webp), formats=["WEBP"]) as picture:
        return picture.size


def has_alpha(webp: bytes) -> bool:
    """Whether a picture that `decode_source` returned is transparent somewhere."""
    with Image.open(BytesIO(webp), formats=["WEBP"]) as picture:
        return picture.mode == "RGBA"


async def _in_thread(
    convert: Callable[[T, int, int | None], bytes], sent: T, max_pixels: int, quality: int | None
) -> bytes:
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_DECODER, convert, sent, max_pixels, quality)


def _from_base64(text: str, max_pixels: int, quality: int | None) -> bytes:
    return _to_webp(_decode_base64(text), max_pixels, quality)


def _to_webp(content: bytes, max_pixels: int, quality: int | None) -> bytes:
    """Decode, check, encode; quality None keeps a still WebP and gives others RESULT_QUALITY."""
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as picture:
            _check_size(picture, max_pixels)
            picture.load()
            if quality is None and picture.format == "WEBP" and not _is_animated(picture):
                return content
            return _encode(_upright(picture), quality or RESULT_QUALITY)
    except _UNREADABLE as error:
        raise _failure(error) from error


def _decode_base64(text: str) -> bytes:
    """Decode in slices; line breaks and blanks are allowed anywhere."""
    decoded, rest = bytearray(), ""
    if not text:
        raise ImageValidationFailed("there is nothing")
    try:
        for start in range(0, len(text), _SLICE):
            piece = rest + "".join(text[start : start + _SLICE].split())
            whole = len(piece) - len(piece) % 4
            decoded += binascii.a2b_base64(piece[:whole], strict_mode=True)
            rest = piece[whole:]
        if rest:
            raise ImageValidationFailed(encoded.fault_of(text) or "its base64 is cut off")
    except ValueError:  # binascii.Error is one; so is text beyond ASCII
        raise ImageValidationFailed(encoded.fault_of(text) or "it is not base64") from None
    return bytes(decoded)


def _check_size(picture: Image.Image, max_pixels: int) -> None:
    width, height = picture.size
    if width * height > max_pixels:
        raise TooManyPixels(
            f"it has {width} x {height} pixels, and {max_pixels} in all are the most"
        )
    if max(width, height) > MAX_SIDE:
        raise TooManyPixels(
            f"it has {width} x {height} pixels, and {MAX_SIDE} are the longest side"
        )


def _is_animated(picture: Image.Image) -> bool:
    return bool(getattr(picture, "is_animated", False))


def _upright(picture: Image.Image) -> Image.Image:
    """The picture as RGB, or as RGBA where it has transparency, turned as its EXIF says."""
    ImageOps.exif_transpose(picture, in_place=True)
    if picture.mode == "F":
        raise ImageValidationFailed("floating-point pixels have no defined brightness")
    if picture.mode.startswith("I"):  # 16 bits of grey; a screen shows the upper eight
        picture = picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")
        picture.info.pop("transparency", None)  # one of the 65536 greys, which is none of the 256
    mode = "RGBA" if picture.has_transparency_data else "RGB"
    return picture if picture.mode == mode else picture.convert(mode)


def _encode(picture: Image.Image, quality: int) -> bytes:
    encoded = BytesIO()
    picture.save(encoded, "WEBP", quality=quality, exact=True, icc_profile=b"", exif=b"", xmp=b"")
    return encoded.getvalue()


def _failure(error: Exception) -> ImageValidationFailed:
    if isinstance(error, UnidentifiedImageError):
        return ImageValidationFailed(f"it is none of {', '.join(FORMATS)}", is_picture=False)
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return TooManyPixels("it has far too many pixels")
    return ImageValidationFailed("it is damaged or cut off")
