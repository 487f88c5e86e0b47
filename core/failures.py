"""Failures of databases and file systems, as one sentence for an operator.

A full disk, a damaged file, an unreachable database are not defects of the program, so they need no
traceback. Everything else does, and is None here.
"""

import errno
import socket
import sqlite3
from collections.abc import Mapping
from typing import Final

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft

from core.errors import Unavailable

_SQLITE: Final[Mapping[int, str]] = {
    sqlite3.SQLITE_BUSY: "the database is locked by another program",
    sqlite3.SQLITE_CANTOPEN: "the database file cannot be opened",
    sqlite3.SQLITE_CORRUPT: "the database file is damaged: restore a backup",
    sqlite3.SQLITE_FULL: "the database's disk is full",
    sqlite3.SQLITE_IOERR: "the database file cannot be read or written: its disk fails or is full",
    sqlite3.SQLITE_NOTADB: "the database file is damaged, or no SQLite database",
    sqlite3.SQLITE_PERM: "the database file may not be accessed",
    sqlite3.SQLITE_READONLY: "the database file or its folder cannot be written",
}
_PRIMARY_CODE: Final = 0xFF
"""SQLite's extended codes carry the primary one in their lowest byte."""

# By SQLSTATE, or the beginning of one: PostgreSQL's Appendix A. The longest match counts.
_POSTGRES: Final[Mapping[str, str]] = {
    "08": "the connection to the database was lost",
    "25006": "the database is read-only",
    "28": "the database does not let this user in",
    "3D000": "there is no such database",
    "42501": "the database does not give this user the rights needed",
    "53": "the database has no resources left",
    "53100": "the database's disk is full",
    "53300": "the database has too many connections",
    "55P03": "somebody else has locked what is needed",
    "57P": "the database is shutting down or starting",
    "58": "the database's disk is failing",
    "XX001": "the database is damaged: restore a backup",
    "XX002": "the database is damaged: restore a backup",
}
_FILES: Final = frozenset(
    {
        errno.EACCES,
        errno.EDQUOT,
        errno.EEXIST,
        errno.EIO,
        errno.EISDIR,
        errno.ENOENT,
        errno.ENOSPC,
        errno.ENOTDIR,
        errno.EPERM,
        errno.EROFS,
    }
)
_FULL: Final = frozenset({errno.EDQUOT, errno.EIO, errno.ENOSPC, errno.EROFS})


class CannotStart(RuntimeError):
    """A server or a command cannot start. The text says why, in one line."""


class StorageUnavailable(Unavailable):
    """The database or the disk cannot be used at present."""

    code = "StorageUnavailable"


def of_start(error: BaseException) -> str | None:
    """Why a process could not start, including files that are not as they should be."""
    if isinstance(error, OSError) and error.errno in _FILES:
        return f"{error.strerror}: {error.filename}" if error.filename else str(error.strerror)
    if isinstance(error, socket.gaierror):
        return "the database's host is not known"
    if isinstance(error, TimeoutError):
        return "the database did not answer in time"
    return of_storage(error)


def of_storage(error: BaseException) -> str | None:
    """Why nothing can be stored or read at present, or None."""
    original = getattr(error, "orig", None) or error
    if isinstance(original, OSError):
        return _of_files(original)
    if isinstance(original, sqlite3.Error):
        return _SQLITE.get(getattr(original, "sqlite_errorcode", 0) & _PRIMARY_CODE)
    if isinstance(error, NoConnectionLeft):
        return "no connection to the database was free in time"
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return _POSTGRES["08"]
    return _of_postgres(str(getattr(original, "sqlstate", None) or ""))


def _of_files(error: OSError) -> str | None:
    if isinstance(error, ConnectionRefusedError):  # others are also caused by clients that hang up
        return "the database cannot be reached"
    return f"the disk cannot be written: {error.strerror}" if error.errno in _FULL else None


def _of_postgres(state: str) -> str | None:
    fitting = [code for code in _POSTGRES if state.startswith(code)]
    return _POSTGRES[max(fitting, key=len)] if fitting else None
