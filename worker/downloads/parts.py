"""What there is of a file that is being fetched, and whether there is room for the rest."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Final

from worker.shelf import FileFacts

SPARE_BYTES: Final = 512 * 2**20
"""What is left free on the disk."""


class CannotFetch(Exception):
    """A file is not to be had; the text says why, and what to do."""


class NoRoom(CannotFetch):
    """The disk is too full."""


class Part:
    """What there is of a file that is not whole yet, and of which version it is."""

    def __init__(self, target: Path) -> None:
        self.path = target.with_name(f"{target.name}.part")
        self._note = target.with_name(f"{target.name}.part.json")

    def size(self) -> int:
        """Say how much of it is here, in bytes."""
        return self.path.stat().st_size if self.path.is_file() else 0

    def condition(self) -> dict[str, str]:
        """Ask for the rest; of what cannot be told from another version, for all of it."""
        tag = self._tag()
        if not self.size() or not tag:
            return {}
        return {"Range": f"bytes={self.size()}-", "If-Range": tag}

    def note(self, tag: str) -> None:
        """Remember which version it is (its ETag); a weak one tells none from another."""
        strong = "" if tag.startswith("W/") else tag
        self._note.write_text(json.dumps({"etag": strong}), encoding="utf-8")

    def remove(self) -> None:
        """Forget all of it."""
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def _tag(self) -> str:
        try:
            said = json.loads(self._note.read_text(encoding="utf-8"))["etag"]
        except (OSError, ValueError, KeyError, TypeError):
            return ""
        return str(said)


def facts_of(path: Path) -> FileFacts:
    """Measure a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return FileFacts(path.stat().st_size, digest)


def see_room(folder: Path, needed: int) -> None:
    """See that so many bytes can still be written there. Raises NoRoom."""
    free = shutil.disk_usage(folder).free
    if needed > free - SPARE_BYTES:
        raise NoRoom(
            f"{folder} has {free / 2**30:.1f} GiB free, {needed / 2**30:.1f} GiB are needed: "
            "make room, or set data_dir to another disk"
        )
