"""Writes pictures to files, in the format of the file's name."""

import io
import os
import tempfile
from pathlib import Path
from typing import Final

from PIL import Image, PngImagePlugin

from cli import metadata
from cli.exits import Exit, Failure

FORMATS: Final = {".webp": "WEBP", ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
QUALITY: Final = 95
"""Of JPEG."""


def part(text: str) -> str:
    """Characters of a horde's words that may be in a file's name: it cannot choose a folder."""
    return "".join(one if one.isprintable() and one not in "/\\" else "_" for one in text)


def check(path: Path) -> None:
    """Raise Failure if a picture could not be written there, before anybody makes it."""
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise Failure(Exit.USAGE, f"{path}: the name must end in one of {', '.join(FORMATS)}")
    if not os.access(path.absolute().parent, os.W_OK):
        raise Failure(Exit.USAGE, f"{path}: the folder cannot be written to")


def write(path: Path, webp: bytes, made_how: str | None = None) -> None:
    """Write a picture, whole or not at all.

    made_how: a text about how it was made, which goes into the file.
    """
    _replace(path, _converted(webp, FORMATS[path.suffix.lower()], made_how))


def save(path: Path, image: Image.Image) -> None:
    """Write a picture that was put together here, whole or not at all."""
    written = io.BytesIO()
    wanted = FORMATS[path.suffix.lower()]
    if wanted == "JPEG":
        image = image.convert("RGB")
    image.save(written, wanted, quality=QUALITY)
    _replace(path, written.getvalue())


def _replace(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def size(webp: bytes) -> str:
    """Such as `512x768`."""
    with Image.open(io.BytesIO(webp)) as image:
        return f"{image.width}x{image.height}"


def _converted(webp: bytes, wanted: str, made_how: str | None) -> bytes:
    if wanted == "WEBP":
        return webp if made_how is None else metadata.into_webp(webp, made_how)
    written = io.BytesIO()
    with Image.open(io.BytesIO(webp)) as image:
        if wanted == "JPEG":
            exif = metadata.exif(made_how) if made_how else b""
            image.convert("RGB").save(written, "JPEG", quality=QUALITY, exif=exif)
        else:
            texts = PngImagePlugin.PngInfo()
            if made_how:
                texts.add_itxt("parameters", made_how)
            image.save(written, "PNG", pnginfo=texts)
    return written.getvalue()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
