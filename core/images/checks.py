"""Turns pictures that people and workers send into WebP, or says what is wrong with them.

Input is hostile until it is decoded, so it is decoded elsewhere (`core.images.decoders`); this
process reads only the structure of WebP files, the format in which workers send results.
"""

from typing import Final

from core.images import encoded, webp
from core.images.decoders import Decoders
from core.images.failures import ImageValidationFailed, TooManyPixels
from core.images.process import Work

MAX_SOURCE_PIXELS: Final = 3072 * 3072
MAX_RESULT_PIXELS: Final = 8192 * 8192
"""A worker's picture may be an upscaled one."""
SOURCE_QUALITY: Final = 50
"""Of sources that are larger than LOSSLESS_PIXELS."""
LOSSLESS_PIXELS: Final = 1024 * 1024
"""Sources up to this area keep each pixel: at worst they then take less than the largest others."""
SOURCE_SECONDS: Final = 5
RESULT_SECONDS: Final = 10
"""Seconds of CPU: a result may have seven times the pixels of a source."""


async def decode_source(
    decoders: Decoders,
    base64_text: str,
    *,
    caller: str,
    max_pixels: int = MAX_SOURCE_PIXELS,
) -> bytes:
    """A source picture or mask as WebP, for workers: lossless up to LOSSLESS_PIXELS.

    Colours are kept where it is transparent. caller: whoever takes turns with the others.
    max_pixels: the largest area.

    Raises ImageValidationFailed, TooManyPictures and DecoderBusy.
    """
    _check_text(base64_text)
    return await decoders.source(_source(base64_text, max_pixels), caller=caller)


async def convert_source(decoders: Decoders, content: bytes, *, caller: str) -> bytes:
    """The same for a picture that comes as bytes."""
    return await decoders.source(_source(content, MAX_SOURCE_PIXELS), caller=caller)


async def to_webp_from_base64(decoders: Decoders, base64_text: str, *, caller: str) -> bytes:
    """A worker's result as WebP of quality 95; a still WebP only loses its metadata.

    Raises what `decode_source` does.
    """
    _check_text(base64_text)
    return await decoders.result(_result(base64_text), caller=caller)


async def to_webp(decoders: Decoders, content: bytes, *, caller: str) -> bytes:
    """The same for a worker's upload; the pixels of a still WebP are not decoded."""
    clean = webp.cleaned(content)
    if clean is None:
        return await decoders.result(_result(content), caller=caller)
    width, height = webp.size_of(clean[: webp.HEAD_BYTES])
    if width * height > MAX_RESULT_PIXELS:
        raise TooManyPixels(
            f"it has {width} x {height} pixels, at most {MAX_RESULT_PIXELS} in all are allowed"
        )
    return clean


def _source(content: bytes | str, max_pixels: int) -> Work:
    return Work(
        content=content,
        max_pixels=max_pixels,
        quality=SOURCE_QUALITY,
        lossless_pixels=LOSSLESS_PIXELS,
        seconds=SOURCE_SECONDS,
    )


def _result(content: bytes | str) -> Work:
    return Work(content=content, max_pixels=MAX_RESULT_PIXELS, quality=0, seconds=RESULT_SECONDS)


def _check_text(base64_text: str) -> None:
    if not base64_text:
        raise ImageValidationFailed("there is nothing")
    if not base64_text.isascii():
        raise ImageValidationFailed(encoded.fault_of(base64_text) or "it is not base64")
