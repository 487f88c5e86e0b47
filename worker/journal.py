"""Keeps on disk what is in hand, so that a worker that was killed can tell its horde afterwards.

Each process has a folder of its own below the worker's data folder, and holds a lock in it for as
long as it lives, however it ends. The next one that starts takes over what the dead have left: a
finished result is delivered, a job without one is given back. A disk that cannot be written costs
that safety and nothing else.
"""

import contextlib
import hashlib
import json
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Final, Self
from uuid import uuid4

import structlog

from worker.kind import Parcel

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

FOLDER: Final = "in-hand"
LOCK: Final = "lock"
ENDING: Final = ".job"
TRIES: Final = 10
MAX_AGE_SECONDS: Final = 24 * 60 * 60.0
"""No horde waits longer for a result; what is older is thrown away."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Left:
    """A job that another process had in hand when it ended. parcel: None: nothing was finished."""

    job: str
    parcel: Parcel | None


class Journal:
    """What one process has in hand of one horde. Use it as a context manager.

    folder: the worker's data folder. url: the horde's.
    """

    def __init__(self, folder: Path, url: str) -> None:
        self._root = folder / FOLDER
        self._url = url
        self._own = self._root / uuid4().hex
        self._lock: IO[bytes] | None = None
        self._left: list[tuple[str, Left]] = []

    def __enter__(self) -> Self:
        with _best_effort("the jobs in hand are not kept on disk"):
            self._lock = self._begin()
            self._adopt()
        return self

    def _begin(self) -> IO[bytes]:
        """Make a folder and lock it. Raises OSError.

        Others look for the dead just then, and may take one for dead that is about to begin.
        """
        for _ in range(TRIES):
            self._own.mkdir(parents=True, mode=0o700)
            with contextlib.suppress(FileNotFoundError):
                if (lock := _locked(self._own / LOCK)) is not None:
                    return lock
            self._own = self._root / uuid4().hex
        raise OSError(f"{self._root} cannot be locked")

    def __exit__(self, *_: object) -> None:
        with _best_effort("the folder of the jobs in hand stays"):
            if self._lock is not None:
                self._lock.close()
                if not list(self._own.glob(f"*{ENDING}")):
                    shutil.rmtree(self._own)

    def left(self, kind: str) -> Sequence[Left]:
        """Give what earlier processes left of this kind of work; it is on disk until forgotten."""
        return [left for its_kind, left in self._left if its_kind == kind]

    def take(self, kind: str, job: str) -> None:
        """A job is in hand from now on."""
        self._write(kind, Left(job, None))

    def keep(self, kind: str, parcel: Parcel) -> None:
        """Its result is there."""
        self._write(kind, Left(parcel.job, parcel))

    def forget(self, job: str) -> None:
        """The server knows all about it."""
        with _best_effort("a job stays on disk"):
            self._place(job).unlink(missing_ok=True)

    def _place(self, job: str) -> Path:
        # The name comes from a server: it is no path.
        name = hashlib.sha256(job.encode(errors="replace")).hexdigest()[:32]
        return self._own / f"{name}{ENDING}"

    def _write(self, kind: str, left: Left) -> None:
        if self._lock is None:
            return
        with _best_effort("a job in hand is not kept on disk"):
            place = self._place(left.job)
            new = place.with_suffix(".new")
            new.write_bytes(_encoded(self._url, kind, left))
            new.replace(place)

    def _adopt(self) -> None:
        """Take over what processes left that are no more."""
        for folder in self._root.iterdir():
            if folder == self._own or not folder.is_dir():
                continue
            with _best_effort("what an earlier worker left is not taken over"):
                lock = _locked(folder / LOCK)
                if lock is None:
                    continue  # its owner lives
                with lock:
                    kept = self._adopt_from(folder)
                if not kept:
                    shutil.rmtree(folder)

    def _adopt_from(self, folder: Path) -> bool:
        """Take this horde's jobs from a folder. Returns whether there are others in it."""
        kept = False
        for place in folder.glob(f"*{ENDING}"):
            try:
                url, kind, left = _decoded(place.read_bytes())
            except (ValueError, TypeError, KeyError):
                log.warning("a job that was left cannot be read", place=str(place))
                continue
            if time.time() - place.stat().st_mtime > MAX_AGE_SECONDS:
                continue
            if url != self._url:
                kept = True
                continue
            place.replace(self._place(left.job))
            self._left.append((kind, left))
        return kept


class NoJournal(Journal):
    """Keeps nothing."""

    def __init__(self) -> None:
        super().__init__(Path(), "")

    def __enter__(self) -> Self:
        return self


@contextlib.contextmanager
def _best_effort(failure: str) -> Iterator[None]:
    """Go on where the disk does not."""
    try:
        yield
    except OSError as error:
        log.warning(failure, reason=error.strerror or type(error).__name__)


def _locked(path: Path) -> IO[bytes] | None:
    """Open a file and lock it until it is closed, or its process ends; None: another has it."""
    file = path.open("ab")
    try:
        if sys.platform == "win32":
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file


def _encoded(url: str, kind: str, left: Left) -> bytes:
    """Write a line of JSON, and the picture behind it."""
    said: dict[str, Any] = {"horde": url, "kind": kind, "job": left.job, "parcel": None}
    picture = None
    if left.parcel is not None:
        said["parcel"] = asdict(left.parcel)
        picture = said["parcel"].pop("picture")
        said["parcel"]["bytes"] = None if picture is None else len(picture)
    return json.dumps(said).encode() + b"\n" + (picture or b"")


def _decoded(content: bytes) -> tuple[str, str, Left]:
    """Read that again. Raises ValueError, TypeError and KeyError."""
    line, _, picture = content.partition(b"\n")
    said = json.loads(line)
    parcel = None
    if said["parcel"] is not None:
        size = said["parcel"].pop("bytes")
        if size is not None and len(picture) != size:
            raise ValueError("the picture is cut off")
        parcel = Parcel(**said["parcel"], picture=picture if size is not None else None)
    return said["horde"], said["kind"], Left(said["job"], parcel)
