"""What was added to this machine by name: where it is, where it came from, and its checksums.

The shelf is the folder `models` in the data folder; `models.json` there says what is on it.
"""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from pydantic import TypeAdapter, ValidationError

FOLDER: Final = "models"
LIST: Final = "models.json"

ModelKind = Literal[
    "image", "text", "upscaler", "face_fixer", "face_detector", "matte", "vision", "controlnet"
]
"""Makes pictures; writes texts; enlarges; restores faces; finds faces; tells things from their
backgrounds; says what pictures show;
holds pictures to a map.
"""


class BrokenList(Exception):
    """The list of what was added cannot be read."""


@dataclass(frozen=True)
class FileFacts:
    """What a file should be."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Kept:
    """Something on the shelf.

    place: its file or folder, relative to the shelf; absolute where it stays elsewhere.
    source: where it came from, for people.
    licence: as its source calls it; empty where the source says nothing.
    files: by path below `place`, "" for a single file.
    control_types: of a ControlNet, what it is for.
    """

    name: str
    kind: ModelKind
    place: str
    source: str
    licence: str = ""
    files: Mapping[str, FileFacts] = field(default_factory=dict)
    control_types: tuple[str, ...] = ()


_LIST = TypeAdapter(dict[str, Kept])


class Shelf:
    """The models that were added. data_dir: the worker's data folder."""

    def __init__(self, data_dir: Path) -> None:
        self.folder = data_dir / FOLDER
        self._list = self.folder / LIST

    def read(self) -> dict[str, Kept]:
        """Give what was added, by name. Raises BrokenList."""
        try:
            return _LIST.validate_json(self._list.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValidationError) as error:
            raise BrokenList(f"{self._list}: {type(error).__name__}") from error

    def put(self, kept: Kept) -> None:
        """Note that something is here."""
        self._write({**self.read(), kept.name: kept})

    def take(self, name: str) -> None:
        """Forget about something; its files are the caller's business."""
        self._write({other: kept for other, kept in self.read().items() if other != name})

    def path(self, kept: Kept) -> Path:
        """Say where its file or folder is."""
        return self.folder / kept.place

    def _write(self, kept: Mapping[str, Kept]) -> None:
        """Write the list; whoever reads it meanwhile sees the old one or the new one."""
        self.folder.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=self.folder, prefix=f".{LIST}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(_LIST.dump_json(dict(kept), indent=1))
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(self._list)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
