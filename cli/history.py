"""The requests of this machine, so that they can be listed, waited for and repeated.

They are in an SQLite file of the user's own. Whoever knows a request's id may read and cancel it,
so only its owner can read the file; keys are not in it.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Any, Final

from cli.claim import privately
from cli.exits import Exit, Failure
from cli.settings import ClientSettings

MAX_REQUESTS: Final = 1000
WAIT_SECONDS: Final = 10.0
_TABLE: Final = """
CREATE TABLE IF NOT EXISTS requests (
    id TEXT PRIMARY KEY, url TEXT NOT NULL, kind TEXT NOT NULL, prompt TEXT NOT NULL,
    given TEXT NOT NULL, out TEXT NOT NULL, asked REAL NOT NULL, state TEXT NOT NULL,
    files TEXT NOT NULL
)
"""


@dataclass(frozen=True)
class Remembered:
    """A request.

    kind: image, text or alchemy. given: its parameters as they were given.
    out: where its results go. asked: unix seconds. state: asked, done, faulted or cancelled.
    """

    id: str
    url: str
    kind: str
    prompt: str
    given: Mapping[str, Any]
    out: str
    asked: float
    state: str
    files: Sequence[str]


def path() -> Path:
    """The file."""
    return ClientSettings().state_dir / "requests.sqlite"


def add(
    request: str, *, url: str, kind: str, prompt: str, given: Mapping[str, Any], out: str
) -> None:
    """Remember a request that was just asked. The oldest ones are forgotten."""
    kept = {name: value for name, value in given.items() if value not in (None, "", [])}
    row = (request, url, kind, prompt, json.dumps(kept), out, time(), "asked", "[]")
    with _opened() as database:
        database.execute("INSERT OR REPLACE INTO requests VALUES (?,?,?,?,?,?,?,?,?)", row)
        database.execute(
            "DELETE FROM requests WHERE id NOT IN"
            " (SELECT id FROM requests ORDER BY asked DESC LIMIT ?)",
            (MAX_REQUESTS,),
        )


def end(request: str, state: str, files: Sequence[str] = ()) -> None:
    """Remember how a request ended, and where its results are."""
    with _opened() as database:
        database.execute(
            "UPDATE requests SET state = ?, files = ? WHERE id = ?",
            (state, json.dumps(list(files)), request),
        )


def find(beginning: str) -> Remembered | None:
    """The request whose id begins like this; None if it is not of this machine.

    Raises Failure if several do. `last` is the latest one.
    """
    if beginning == "last":
        return next(iter(recent(1)), None)
    with _opened() as database:
        rows = database.execute(
            "SELECT * FROM requests WHERE substr(id, 1, ?) = ? LIMIT 2", (len(beginning), beginning)
        ).fetchall()
    if len(rows) > 1:
        raise Failure(
            Exit.USAGE, f"Several requests begin with {beginning}: more of the id, please."
        )
    return _read(rows[0]) if rows else None


def recent(most: int) -> list[Remembered]:
    """The latest requests, newest first."""
    with _opened() as database:
        rows = database.execute("SELECT * FROM requests ORDER BY asked DESC LIMIT ?", (most,))
        return [_read(row) for row in rows]


@contextmanager
def _opened() -> Iterator[sqlite3.Connection]:
    place = path()
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(place, "ab", opener=privately):
            pass
        with closing(sqlite3.connect(place, timeout=WAIT_SECONDS)) as database, database:
            database.execute(_TABLE)
            yield database
    except (OSError, sqlite3.Error) as error:
        raise Failure(Exit.FAILED, f"{place} cannot be used: {error}.") from None


def _read(row: tuple[Any, ...]) -> Remembered:
    identity, url, kind, prompt, given, out, asked, state, files = row
    return Remembered(
        identity, url, kind, prompt, json.loads(given), out, asked, state, json.loads(files)
    )
