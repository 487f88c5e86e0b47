"""Addresses of files that browsers may keep for good: they differ with what the files say."""

from hashlib import blake2b
from pathlib import Path
from typing import Final

from quart import Response, request

KEPT: Final = "public, max-age=31536000, immutable"
STAMP_BYTES: Final = 6


def address(prefix: str, folder: Path) -> str:
    """Where the folder is served: `/web/3f0c…`, another path for other contents.

    Files refer to each other by relative paths, so all of them come from the same version.
    """
    read = blake2b(digest_size=STAMP_BYTES)
    for file in sorted(one for one in folder.rglob("*") if one.is_file()):
        content = file.read_bytes()
        read.update(f"{file.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
        read.update(content)
    return f"{prefix}/{read.hexdigest()}"


def keep(response: Response) -> None:
    """Let a browser keep such a file, and ask for a page's HTML each time unless it says else."""
    if response.status_code in (200, 206, 304) and (request.endpoint or "").endswith(".static"):
        response.headers["Cache-Control"] = KEPT
    elif "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-cache"
