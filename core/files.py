"""Files that only the user who runs this process can read.

New files are private by the process's umask, whoever makes them; files that older versions or
others left open are closed at the next start. Secrets are written whole or not at all.
"""

import os
import secrets
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

PRIVATE_UMASK: Final = 0o077
PRIVATE_FILE: Final = 0o600
PRIVATE_FOLDER: Final = 0o700
_OTHERS: Final = 0o077


def keep_private() -> None:
    """Let nobody else read what this process makes from now on."""
    os.umask(PRIVATE_UMASK)


def make_private_folder(path: Path) -> None:
    """Make a folder that nobody else can enter; an existing one is closed, if it is ours."""
    path.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    with suppress(PermissionError):
        if _is_open(path) and not path.stat().st_mode & stat.S_ISVTX:  # as /tmp is, for all
            path.chmod(PRIVATE_FOLDER)


def close_to_others(paths: Iterable[Path]) -> None:
    """Make files 0600 and folders 0700, with all contents of folders that others could enter.

    Missing files, and those that are not ours to change, are left alone.
    """
    for path in paths:
        with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            if _is_open(path):
                _close(path)


def _is_open(path: Path) -> bool:
    return not path.is_symlink() and bool(path.stat().st_mode & _OTHERS)


def _close(path: Path) -> None:
    with suppress(FileNotFoundError, PermissionError):
        path.chmod(PRIVATE_FOLDER if path.is_dir() else PRIVATE_FILE)
    if path.is_dir():
        for inner in path.iterdir():
            if not inner.is_symlink():
                _close(inner)


def write(path: Path, content: bytes) -> None:
    """Write a private file, whole or not at all, replacing an earlier one."""
    unfinished = _written(path, content)
    try:
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    _sync_folder(path)


def write_once(path: Path, content: bytes) -> None:
    """Write a private file, whole or not at all, if there is none of that name."""
    if path.exists():
        return
    unfinished = _written(path, content)
    try:
        with suppress(FileExistsError):  # another process was first
            os.link(unfinished, path)
    except OSError:  # this file system has no hard links
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    _sync_folder(path)


def _written(path: Path, content: bytes) -> Path:
    """Write the content to disk under a name beside the final one."""
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error
    return unfinished


def _sync_folder(path: Path) -> None:
    with suppress(OSError):  # not every file system can
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
