"""Reads source pictures and writes finished ones. Pillow only; used in both processes."""

import io
import math
import struct
from typing import Final

from PIL import Image, ImageDraw, ImageFont, ImageOps

from core.wire.image import MetadataType
from core.wire.progress import MAX_PREVIEW_BYTES
from core.wire.submit import GenerationMetadataStable
from worker.renderer import CannotRender, Picture

MAX_PIXELS: Final = 3072 * 3072 * 2
"""The largest source picture: twice what the API accepts, for pictures by URL."""

LOSSLESS_PIXELS: Final = 256 * 256
"""Up to this area a picture is encoded without loss: lossy WebP has one colour for 2x2 pixels,
which shows in small pictures (34 dB at 128x128, 39 dB at 256x256, whatever the quality), and 20 to
60 kB are little. Above, quality 95 gives 45 dB and more at a sixth of the size and a quarter of the
time."""
WEBP_QUALITIES: Final = (95, 85, 70, 50, 25)
"""Each is tried if the one before takes too many bytes."""
WEBP_METHOD: Final = 4
"""Effort, 0 to 6."""
MAX_SIDE: Final = 16383
"""The longest side of a WebP."""
MAX_RESULT_PIXELS: Final = 8192 * 8192
MAX_RESULT_BYTES: Final = 20 * 1024 * 1024
"""The largest finished picture that servers take."""

PREVIEW_SIDE: Final = 192
PREVIEW_QUALITIES: Final = (70, 45, 20, 5)
HELD_BACK, HELD_BACK_TEXT = "#3d4451", "held back:\nunsafe for work"
MIN_LETTER: Final = 10

FORMATS: Final = (
    "PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM", "TGA",
)  # fmt: skip
"""Formats with a decoder inside Pillow: others, such as EPS, start programs."""

# What Pillow raises for broken or lying files; its decoders have no error of their own.
UNREADABLE: Final = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    RuntimeError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


def fits(width: int, height: int) -> bool:
    """Whether a finished picture may be this large."""
    return max(width, height) <= MAX_SIDE and width * height <= MAX_RESULT_PIXELS


def fitting(width: int, height: int) -> tuple[int, int]:
    """The largest size of this shape that a finished picture may have; sides are at least 1."""
    scale = min(1.0, MAX_SIDE / max(width, height), math.sqrt(MAX_RESULT_PIXELS / width / height))
    return max(1, int(width * scale)), max(1, int(height * scale))


def to_webp(picture: Picture) -> bytes:
    """Encode a finished picture as WebP, without any metadata: the same pixels, the same bytes.

    The quality is lowered if it would be larger than the server takes. Raises CannotRender if that
    does not help.
    """
    if not fits(picture.width, picture.height):
        raise CannotRender(f"{picture.width}x{picture.height} is too large for a picture")
    size = (picture.width, picture.height)
    image = Image.frombytes("RGB", size, picture.rgb)
    if picture.alpha is not None:
        image.putalpha(Image.frombytes("L", size, picture.alpha))
    for quality in WEBP_QUALITIES:
        out = io.BytesIO()
        lossless = quality == WEBP_QUALITIES[0] and image.width * image.height <= LOSSLESS_PIXELS
        image.save(out, "WEBP", lossless=lossless, quality=quality, method=WEBP_METHOD)
        if out.tell() <= MAX_RESULT_BYTES:
            return out.getvalue()
    raise CannotRender(f"the picture has more than {MAX_RESULT_BYTES} bytes")


def preview(image: Image.Image) -> bytes | None:
    """Give a small WebP of a picture; None where it does not get small enough."""
    small = image.convert("RGB")
    if max(small.size) < PREVIEW_SIDE:
        scale = PREVIEW_SIDE / max(small.size)
        size = (max(1, round(small.width * scale)), max(1, round(small.height * scale)))
        small = small.resize(size, Image.Resampling.BICUBIC)
    small.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    for quality in PREVIEW_QUALITIES:
        out = io.BytesIO()
        small.save(out, "WEBP", quality=quality, method=2)
        if out.tell() <= MAX_PREVIEW_BYTES:
            return out.getvalue()
    return None


def size_of(encoded: bytes) -> tuple[int, int]:
    """Read a source picture's width and height from its header. Raises CannotRender."""
    try:
        with Image.open(io.BytesIO(encoded), formats=FORMATS) as opened:
            return opened.size
    except UNREADABLE as error:
        raise _unreadable("source_image", error) from error


def read(encoded: bytes, *, kind: MetadataType) -> Image.Image:
    """Decode a source picture, upright, in RGBA.

    kind: its name in the requester's note, if it cannot be read: `source_image`, `source_mask`.

    Raises CannotRender.
    """
    try:
        with Image.open(io.BytesIO(encoded), formats=FORMATS) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise CannotRender(f"{kind} has {opened.width}x{opened.height} pixels", _note(kind))
            return ImageOps.exif_transpose(opened).convert("RGBA")
    except UNREADABLE as error:
        raise _unreadable(kind, error) from error


def picture_of(image: Image.Image) -> Picture:
    """Make a finished picture of an image in RGB or RGBA."""
    alpha = image.getchannel("A").tobytes() if image.mode == "RGBA" else None
    return Picture(image.width, image.height, image.convert("RGB").tobytes(), alpha)


def held_back(width: int, height: int) -> Picture:
    """Make what is delivered instead of a picture that is held back."""
    image = Image.new("RGB", (width, height), HELD_BACK)
    draw = ImageDraw.Draw(image)
    middle = (width / 2, height / 2)
    font = ImageFont.load_default(max(MIN_LETTER, min(width, height) / 16))
    draw.text(middle, HELD_BACK_TEXT, "white", font, anchor="mm", align="center")
    return picture_of(image)


def on_white(image: Image.Image) -> Image.Image:
    """Put a picture with transparency on white."""
    ground = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(ground, image).convert("RGB")


def scaled(image: Image.Image, width: int, height: int, *, tiling: bool) -> Image.Image:
    """Scale a picture (Lanczos) until it covers width x height, and crop it.

    tiling: the picture continues over its edges, so it is stretched instead of cropped, and the
        filter sees over the edges.
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


def _unreadable(kind: MetadataType, error: Exception) -> CannotRender:
    return CannotRender(f"{kind} cannot be read: {type(error).__name__}", _note(kind))


def _note(kind: MetadataType) -> tuple[GenerationMetadataStable, ...]:
    return (GenerationMetadataStable(type=kind, value="parse_failed"),)
