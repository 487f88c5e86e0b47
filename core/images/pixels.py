"""Decodes pictures and encodes them as WebP. Runs in the decoder's process, nowhere else.

Input is hostile until it is decoded: its parts are counted and its size is read from its header
before any pixel, and only formats with a decoder inside Pillow are tried (EPS, for example, would
start an interpreter). Of an animation the first frame counts. A rotation told by EXIF is applied
and colours are converted to sRGB; metadata and colour profiles are left behind.
"""

import binascii
import struct
from contextlib import suppress
from io import BytesIO
from typing import Final, NamedTuple

from PIL import AvifImagePlugin, Image, ImageCms, ImageOps, UnidentifiedImageError

from core.images import encoded, structure, webp
from core.images.failures import ImageValidationFailed, TooManyPixels

RESULT_QUALITY: Final = 95
MAX_SIDE: Final = 16383
"""WebP's longest side, in pixels."""
LOSSLESS_EFFORT: Final = (20, 1)
"""WebP's quality and method: with more of either a photograph takes longer and gets no smaller."""
LARGE_PIXELS: Final = 3072 * 3072
"""Above this area the encoder works faster: its best effort would outlast the deadline."""
FORMATS: Final = (
    "PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM", "TGA",
)  # fmt: skip

_SLICE: Final = 1024 * 1024
"""Characters of base64 decoded at once."""
_SRGB: Final = ImageCms.createProfile("sRGB")
_PROFILED: Final = frozenset({"L", "RGB", "RGBA", "CMYK"})
"""Modes from which a profile can be converted."""

AvifImagePlugin.DEFAULT_MAX_THREADS = 1

# What Pillow raises for broken or lying files; its decoders have no error of their own.
_UNREADABLE: Final = (
    ArithmeticError,
    AssertionError,
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


class Task(NamedTuple):
    """What to make of a picture."""

    max_pixels: int
    """The largest area."""
    quality: int
    """Of the WebP; 0: a clean still WebP stays as it is, and others get RESULT_QUALITY."""
    is_base64: bool
    lossless_pixels: int = 0
    """Up to this area the WebP is lossless, whatever the quality."""


def convert(sent: bytes, task: Task) -> bytes:
    """The picture as WebP. Raises ImageValidationFailed."""
    content = decode_base64(sent) if task.is_base64 else sent
    structure.check(content)
    clean = None if task.quality else webp.cleaned(content)
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as picture:
            _check_size(picture, task.max_pixels)
            picture.load()
            return clean or _encode(_upright(picture), task)
    except _UNREADABLE as error:
        raise _failure(error) from error


def decode_base64(text: bytes) -> bytes:
    """Decode in slices; line breaks and blanks are allowed anywhere."""
    decoded, rest = bytearray(), b""
    try:
        for start in range(0, len(text), _SLICE):
            piece = rest + b"".join(text[start : start + _SLICE].split())
            whole = len(piece) - len(piece) % 4
            decoded += binascii.a2b_base64(piece[:whole], strict_mode=True)
            rest = piece[whole:]
    except ValueError:  # binascii.Error is one
        raise ImageValidationFailed(_fault_of(text) or "it is not base64") from None
    if rest:
        raise ImageValidationFailed(_fault_of(text) or "its base64 is cut off")
    return bytes(decoded)


def _fault_of(text: bytes) -> str | None:
    return encoded.fault_of(text.decode("ascii", "replace"))


def _check_size(picture: Image.Image, max_pixels: int) -> None:
    width, height = picture.size
    if width * height > max_pixels:
        raise TooManyPixels(
            f"it has {width} x {height} pixels, at most {max_pixels} in all are allowed"
        )
    if max(width, height) > MAX_SIDE:
        raise TooManyPixels(
            f"it has {width} x {height} pixels, at most {MAX_SIDE} on a side are allowed"
        )


def _upright(picture: Image.Image) -> Image.Image:
    """The picture as RGB, or as RGBA if it has transparency, turned as its EXIF says."""
    ImageOps.exif_transpose(picture, in_place=True)
    if picture.mode == "F":
        raise ImageValidationFailed("floating-point pixels have no defined brightness")
    if picture.mode.startswith("I"):  # 16 bits of grey; a screen shows the upper eight
        profile = picture.info.get("icc_profile")
        picture = picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")
        picture.info.pop("transparency", None)  # one of 65536 greys, none of the 256
        picture.info["icc_profile"] = profile
    mode = "RGBA" if picture.has_transparency_data else "RGB"
    if profile := picture.info.get("icc_profile"):
        picture = _in_srgb(picture, profile, mode)
    return picture if picture.mode == mode else picture.convert(mode)


def _in_srgb(picture: Image.Image, profile: bytes, mode: str) -> Image.Image:
    """The picture in the colours of sRGB; unchanged if its profile is broken or for other pixels.

    mode: the mode of the result, RGB or RGBA.
    """
    if picture.mode in ("P", "PA"):
        picture = picture.convert(mode)
    alpha = picture.convert("RGBA").getchannel("A") if mode == "RGBA" else None
    coloured = picture.convert("L") if picture.mode == "LA" else picture
    if coloured.mode not in _PROFILED:
        return picture
    with suppress(ImageCms.PyCMSError, OSError, TypeError, ValueError):
        described = ImageCms.ImageCmsProfile(BytesIO(profile))
        if coloured.mode == "RGBA":
            coloured = coloured.convert("RGB")
        converted = ImageCms.profileToProfile(coloured, described, _SRGB, outputMode="RGB")
        if converted is None:
            return picture
        if alpha is not None:
            converted.putalpha(alpha)
        return converted
    return picture


def _encode(picture: Image.Image, task: Task) -> bytes:
    encoded = BytesIO()
    area = picture.width * picture.height
    is_lossless = area <= task.lossless_pixels
    quality, method = task.quality or RESULT_QUALITY, 4 if area <= LARGE_PIXELS else 2
    if is_lossless:
        quality, method = LOSSLESS_EFFORT
    picture.save(
        encoded,
        "WEBP",
        lossless=is_lossless,
        quality=quality,
        method=method,
        exact=True,
        icc_profile=b"",
        exif=b"",
        xmp=b"",
    )
    return encoded.getvalue()


def _failure(error: Exception) -> ImageValidationFailed:
    if isinstance(error, UnidentifiedImageError):
        return ImageValidationFailed(f"it is none of {', '.join(FORMATS)}", is_picture=False)
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return TooManyPixels("it has far too many pixels")
    if isinstance(error, MemoryError):
        return ImageValidationFailed("it takes more memory than a picture may")
    return ImageValidationFailed("it is damaged or cut off")
