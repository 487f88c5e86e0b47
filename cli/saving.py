"""Where results go: the names of files, made from a pattern, and what is written beside them."""

import hashlib
import string
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cli import pictures
from cli.exits import Exit, Failure
from core.wire.generate import GenerationStable

FIELDS: Final = ("index", "seed", "id", "model", "date", "item", "name")
DEFAULT: Final = "{seed}.{format}"
OF_BATCH: Final = "{name}.{format}"
MAX_NAME_BYTES: Final = 200


@dataclass(frozen=True)
class Pattern:
    """How files are called.

    folder: where they are. name: with the fields of FIELDS in braces.
    """

    folder: Path
    name: str

    def path(self, made: GenerationStable, index: int, *, item: int = 1, name: str = "") -> Path:
        """The file of a picture. The horde's words in it cannot choose a folder."""
        fields = {
            "index": index,
            "seed": made.seed,
            "id": made.id,
            "model": made.model,
            "date": f"{datetime.now(UTC):%Y-%m-%d}",
            "item": f"{item:04}",
            "name": name or f"{item:04}",
        }
        safe = {key: pictures.part(str(value)) for key, value in fields.items()}
        path = self.folder / _short(self.name.format_map(safe))
        has_own = any(f"{{{field}" in self.name for field in ("index", "seed", "id"))
        return path if has_own or not index else path.with_stem(f"{path.stem}-{index}")


def pattern(out: str, form: str | None, *, default: str = DEFAULT) -> Pattern:
    """Read `--out` and `--format`. Raises Failure for a name that could not be written.

    out: a file's name, or a folder's; that is made.
    """
    path = Path(out)
    suffix = path.suffix.lower()
    if out.endswith("/") or path.is_dir() or suffix not in pictures.FORMATS:
        if suffix and not path.is_dir() and not out.endswith("/"):
            raise _no_format(path)
        path = path / default.replace("{format}", form or "webp")
    elif form is not None:
        path = path.with_suffix(f".{form}")
    if path.suffix.lower() not in pictures.FORMATS:
        raise _no_format(path)
    if "{" in str(path.parent):
        raise Failure(Exit.USAGE, f"{path.parent}: a folder's name has no fields.")
    _check_fields(path.name)
    folder(path.parent)
    pictures.check(path)
    return Pattern(path.parent, path.name)


def folder(place: str | Path) -> Path:
    """A folder, made if it is not there. Raises Failure."""
    path = Path(place)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        told = f"{path}: the folder cannot be made: {error.strerror}"
        raise Failure(Exit.USAGE, told) from None
    return path


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _no_format(path: Path) -> Failure:
    known = ", ".join(pictures.FORMATS)
    return Failure(Exit.USAGE, f"{path}: the name must end in one of {known}, or in /")


def _check_fields(name: str) -> None:
    try:
        used = [field for _, field, _, _ in string.Formatter().parse(name) if field is not None]
    except ValueError as error:
        raise Failure(Exit.USAGE, f"{name}: {error}") from None
    if unknown := [field for field in used if field not in FIELDS]:
        known = " ".join(f"{{{field}}}" for field in FIELDS)
        raise Failure(Exit.USAGE, f"{name}: {{{unknown[0]}}} is none of {known}")


def _short(name: str) -> str:
    """A name that file systems take: a prompt's or a model's own may be any length."""
    stem, dot, suffix = name.rpartition(".")
    return stem.encode()[:MAX_NAME_BYTES].decode(errors="ignore") + dot + suffix
