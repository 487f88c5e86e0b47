"""Requests that run, or ran when the plug-in last heard of them: one private file each.

Whoever closes GIMP, or does not want to wait, finds them again, and nothing that was paid is lost.
"""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from stable_horde.errors import Trouble
from stable_horde.settings import write_private
from stable_horde.words import _

FOLDER: Final = "left"
MAX_FILE_BYTES: Final = 2**28
MAX_DAYS: Final = 7
"""A horde forgets a request within the hour; the note of it may go after that."""


@dataclass(frozen=True)
class Record:
    """A request, and where its results go.

    kind: of request. image: its id in GIMP, 0 where results are images of their own; only the
    GIMP that runs as `session` knows it. asked: seconds since 1970. delivered: whether the results
    are in the image.
    """

    id: str
    site: str
    kind: str
    task: str
    total: int
    asked: float
    session: str
    image: int
    wanted: dict[str, Any]
    place: dict[str, Any]
    delivered: bool = False


class Left:
    """The records in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER

    def add(self, record: Record) -> None:
        """Keep one."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(self._path(record.id), json.dumps(asdict(record)))

    def remove(self, request_id: str) -> None:
        """Forget one; it may be gone."""
        self._path(request_id).unlink(missing_ok=True)

    def all(self) -> list[Record]:
        """The newest first. What cannot be read, or is older than a week, is removed."""
        found = []
        for path in self._folder.glob("*.json"):
            record = _read(path)
            if record is None or record.asked < time.time() - MAX_DAYS * 86_400:
                path.unlink(missing_ok=True)
            else:
                found.append(record)
        return sorted(found, key=lambda record: -record.asked)

    def get(self, request_id: str) -> Record:
        """One by its id, or the newest for an empty one. Raises Trouble where there is none."""
        for record in self.all():
            if not request_id or record.id == request_id:
                return record
        raise Trouble(_("There is no such request left."))

    def _path(self, request_id: str) -> Path:
        name = "".join(char for char in request_id if char.isalnum() or char in "-_")
        return self._folder / f"{name[:100]}.json"


def _read(path: Path) -> Record | None:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            return None
        return Record(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError):
        return None
