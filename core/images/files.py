"""Files of pictures: read, renamed, deleted by age. These calls block: make them in threads."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from core.images import webp


def accept(received: Path, accepted: Path) -> bytes | None:
    """Rename the received file, if it exists. Returns the start of the accepted file."""
    with suppress(FileNotFoundError):
        accepted.parent.mkdir(parents=True, exist_ok=True)
        received.replace(accepted)
    return start(accepted)


def start(*paths: Path) -> bytes | None:
    """The start of the first of these files that exists."""
    for path in paths:
        with suppress(FileNotFoundError), path.open("rb") as file:
            return file.read(webp.HEAD_BYTES)
    return None


def read(path: Path) -> bytes | None:
    """The whole file, if it exists."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        yield from entries


def folders(folder: Path) -> list[Path]:
    """The folders in a folder."""
    return [Path(entry.path) for entry in _entries(folder) if entry.is_dir(follow_symlinks=False)]


def sweep_outer(outer: Path, before: float, limit: int) -> int:
    """The same as `remove_old` in each folder of `outer`, up to `limit` in all."""
    gone = 0
    for inner in folders(outer):
        gone += remove_old(inner, before, limit - gone)
    return gone


def remove_old(folder: Path, before: float, limit: int) -> int:
    """Delete up to `limit` files last written before the unix time `before`."""
    gone = 0
    for entry in _entries(folder):
        if gone >= limit:
            break
        with suppress(FileNotFoundError):  # deleted meanwhile, by name or by another process
            if entry.stat(follow_symlinks=False).st_mtime < before:
                Path(entry.path).unlink()
                gone += 1
    return gone
