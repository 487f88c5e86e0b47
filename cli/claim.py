"""One horde for one data folder: which process has it, and where that horde listens."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from cli.exits import Exit, Failure

FILE: Final = "horde.lock"


@dataclass(frozen=True)
class Holder:
    """The process that has the data folder."""

    pid: int | None
    url: str | None
    """None until its server listens."""


class Taken(Exception):
    """Another process has the data folder."""


class Claim:
    """The claim of this process on the data folder, until the process ends in any way."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.publish(None)

    def publish(self, url: str | None) -> None:
        """Record where the horde listens."""
        self._file.seek(0)
        self._file.truncate()
        json.dump({"pid": os.getpid(), "url": url}, self._file)
        self._file.flush()


@contextlib.contextmanager
def hold(data_dir: Path) -> Iterator[Claim]:
    """Claim the data folder, which is made if necessary. Raises Taken."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = open(data_dir / FILE, "a+", encoding="utf-8", opener=privately)  # noqa: SIM115
    except OSError as error:
        raise Failure(
            Exit.FAILED, f"The data folder {data_dir} cannot be used: {error.strerror}."
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Taken(f"{data_dir} is in use") from None
        yield Claim(file)


def privately(path: str, flags: int) -> int:
    """Open a file that only its owner can read; for `open`."""
    descriptor = os.open(path, flags, 0o600)
    os.fchmod(descriptor, 0o600)  # even if it exists already
    return descriptor


def holder(data_dir: Path) -> Holder | None:
    """The process that has the data folder; None if there is none."""
    try:
        with (data_dir / FILE).open(encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _read(file.read())
            return None
    except FileNotFoundError:
        return None


def _read(text: str) -> Holder:
    try:
        said = json.loads(text)
        return Holder(said["pid"], said["url"])
    except (ValueError, KeyError, TypeError):
        return Holder(None, None)  # it is being written
