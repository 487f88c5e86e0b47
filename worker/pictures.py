"""Reads source pictures and writes finished ones. Pillow only; used on both sides of the border."""

import io
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

from core.wire.image import MetadataType
from core.wire.submit import GenerationMetadataStable
from worker.renderer import CannotRender, Picture

MAX_PIXELS: Final = 3072 * 3072 * 2
"""Of a source picture: twice what the API lets anybody send, for what comes by URL."""

LOSSLESS_PIXELS: Final = 256 * 256
"""Up to here a picture is encoded without loss: lossy WebP has one colour for 2x2 pixels, which
small pictures show (34 dB at 128x128, 39 dB at 256x256, whatever the quality), and 20 to 60 kB are
little. Above, quality 95 gives 45 dB and more at a sixth of the size and a quarter of the time."""
WEBP_QUALITY: Final = 95
WEBP_METHOD: Final = 4
"""Effort, 0 to 6."""


def to_webp(picture: Picture) -> bytes:
    """Encode a finished picture as WebP, without any metadata: the same pixels, the same bytes."""
    out = io.BytesIO()
    image = Image.frombytes("RGB", (picture.width, picture.height), picture.rgb)
    lossless = image.width * image.height <= LOSSLESS_PIXELS
    image.save(out, "WEBP", lossless=lossless, quality=WEBP_QUALITY, method=WEBP_METHOD)
    return out.getvalue()


def read(encoded: bytes, *, kind: MetadataType) -> Image.Image:
    """Decode a source picture, upright, in RGBA.

    kind: what the requester is told cannot be read, if it cannot: `source_image`, `source_mask`.

    Raises CannotRender.
    """
    try:
        with Image.open(io.BytesIO(encoded)) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise CannotRender(f"{kind} has {opened.width}x{opened.height} pixels", _note(kind))
            return ImageOps.exif_transpose(opened).convert("RGBA")
    except (OSError, ValueError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise CannotRender(f"{kind} cannot be read: {type(error).__name__}", _note(kind)) from error


def on_white(image: Image.Image) -> Image.Image:
    """Lay a picture with transparency on white."""
    ground = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(ground, image).convert("RGB")


def scaled(image: Image.Image, width: int, height: int, *, tiling: bool) -> Image.Image:
    """Scale a picture (Lanczos) until it covers width x height, and cut off what is too much.

    tiling: the picture continues over its edges, so it is stretched instead of cut, and the filter
        sees over the edges.
    """
    if image.size == (width, height):
        return image
    if not tiling:
        return ImageOps.fit(image, (width, height), Image.Resampling.LANCZOS)
    return scaled_seamless(image, width, height)


def scaled_seamless(image: Image.Image, width: int, height: int) -> Image.Image:
    """Scale a picture whose left edge continues at its right one, and its top at its bottom."""
    rim = min(16, *image.size)
    wide = Image.new(image.mode, (image.width + 2 * rim, image.height + 2 * rim))
    for across in (-1, 0, 1):
        for down in (-1, 0, 1):
            wide.paste(image, (rim + across * image.width, rim + down * image.height))
    box = (rim, rim, rim + image.width, rim + image.height)
    return wide.resize((width, height), Image.Resampling.LANCZOS, box=box)


def _note(kind: MetadataType) -> tuple[GenerationMetadataStable, ...]:
    return (GenerationMetadataStable(type=kind, value="parse_failed"),)
