"""Addresses of files that browsers may keep for ever: they change with the files' contents."""

from hashlib import blake2b
from pathlib import Path
from typing import Final

KEPT: Final = "public, max-age=31536000, immutable"
FOUND: Final = {200, 206, 304}
STAMP_BYTES: Final = 6


def address(prefix: str, folder: Path) -> str:
    """The path at which the folder is served: `/web/3f0c…`, different for different contents.

    Files refer to each other by relative paths, so all of them come from the same version.
    """
    read = blake2b(digest_size=STAMP_BYTES)
    for file in sorted(one for one in folder.rglob("*") if one.is_file()):
        content = file.read_bytes()
        read.update(f"{file.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
        read.update(content)
    return f"{prefix}/{read.hexdigest()}"


def lifetime(endpoint: str | None, status: int, said: str | None) -> str:
    """The `Cache-Control` of answers of a blueprint with such files.

    said: the header that the answer has. A page's HTML is requested each time unless it says
        otherwise.
    """
    if (endpoint or "").endswith(".static"):
        return KEPT if status in FOUND else "no-cache"
    return said or "no-cache"
