"""Writes pictures to files, in the format of the file's name."""

import importlib.util
import io
import os
import tempfile
from pathlib import Path
from typing import Final

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
    if FORMATS[suffix] != "WEBP" and importlib.util.find_spec("PIL") is None:
        raise Failure(Exit.USAGE, f"{path}: without Pillow only .webp can be written")
    if not os.access(path.absolute().parent, os.W_OK):
        raise Failure(Exit.USAGE, f"{path}: the folder cannot be written to")


def write(path: Path, webp: bytes) -> None:
    """Write a picture, whole or not at all."""
    content = _converted(webp, FORMATS[path.suffix.lower()])
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
    """Such as `512x768`; `unknown size` if Pillow is not installed."""
    if importlib.util.find_spec("PIL") is None:
        return "unknown size"
    from PIL import Image  # noqa: PLC0415 - a command line without it still works

    with Image.open(io.BytesIO(webp)) as image:
        return f"{image.width}x{image.height}"


def _converted(webp: bytes, wanted: str) -> bytes:
    if wanted == "WEBP":
        return webp
    from PIL import Image  # noqa: PLC0415 - a command line without it still works

    written = io.BytesIO()
    with Image.open(io.BytesIO(webp)) as image:
        ready = image.convert("RGB") if wanted == "JPEG" else image
        ready.save(written, wanted, **({"quality": QUALITY} if wanted == "JPEG" else {}))
    return written.getvalue()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
