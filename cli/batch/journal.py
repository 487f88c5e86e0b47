"""What has become of each item of a batch, in its folder, whatever ends the process.

Two files of JSON lines are only ever added to. `manifest.jsonl` has a line for each picture that
is saved: it is for people and their programs. `.horde-batch.jsonl` has what resuming needs besides:
which seed an item has, that it is about to be asked and by which key, under which id it was asked,
how it ended.
A line counts once it ends: half of one, of a process that was killed, is cut off.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

from cli.exits import Exit, Failure

MANIFEST: Final = "manifest.jsonl"
JOURNAL: Final = ".horde-batch.jsonl"


@dataclass
class State:
    """An item, as far as it has come.

    seed: of its first picture; None until it was first asked.
    asking_key: by which it is asked, so that a horde knows it again if it is asked once more.
    request: its request's id; None if it was not asked, or the answer is not known.
    in_doubt: whether it was being asked when the process ended: the horde may have it.
    ended: whether nothing more comes of it.
    failure: why it was not made, in words.
    entries: the manifest's lines of it, by the picture's index.
    """

    seed: str | None = None
    asking_key: str | None = None
    request: str | None = None
    in_doubt: bool = False
    ended: bool = False
    failure: str | None = None
    entries: dict[int, dict[str, Any]] = field(default_factory=dict)

    @property
    def is_done(self) -> bool:
        """Whether all of it is made."""
        return self.ended and self.failure is None


class Journal:
    """The record of one batch. Use it as a context manager.

    folder: where the pictures are, too.
    keys_are_read: whether the horde is known to read the keys by which items are asked.

    Raises Failure if another process has it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.states: dict[str, State] = {}
        self.keys_are_read = False
        self._open = ExitStack()

    def __enter__(self) -> Self:
        with self._open as opening:
            self._journal = opening.enter_context(_opened(self.folder / JOURNAL))
            self._manifest = opening.enter_context(_opened(self.folder / MANIFEST))
            self._load()
            self._open = opening.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def of(self, item: str) -> State:
        """The state of an item."""
        return self.states.setdefault(item, State())

    @property
    def requests(self) -> set[str]:
        """The ids of all requests of the batch."""
        return {state.request for state in self.states.values() if state.request}

    @property
    def files(self) -> set[str]:
        """All files of the manifest."""
        return {entry["file"] for state in self.states.values() for entry in state.entries.values()}

    def asking(self, item: str, seed: str, key: str) -> None:
        """An item is about to be asked. After a crash the horde may have it, or not."""
        self._note(item, {"asking": seed, "by": key})

    def asked(self, item: str, request: str, *, key_is_read: bool = False) -> None:
        """The horde has it. key_is_read: whether it says that it has read the key."""
        self._note(item, {"request": request, "key_is_read": key_is_read})

    def unasked(self, item: str) -> None:
        """The horde does not have it, or not any more."""
        self._note(item, {"unasked": True})

    def ended(self, item: str, failure: str | None = None) -> None:
        """Nothing more comes of it."""
        self._note(item, {"ended": failure})

    def saved(self, item: str, entry: dict[str, Any]) -> None:
        """A picture is in its file."""
        _append(self._manifest, {**entry, "key": item})
        self.of(item).entries[entry["index"]] = entry

    def _note(self, item: str, what: dict[str, Any]) -> None:
        _append(self._journal, {"key": item, **what})
        self._apply(self.of(item), what)

    def _apply(self, state: State, what: dict[str, Any]) -> None:
        if "asking" in what:
            state.seed, state.asking_key = what["asking"], what.get("by")
            state.in_doubt, state.request = True, None
            state.ended, state.failure = False, None
        elif "request" in what:
            state.request, state.in_doubt = what["request"], False
            self.keys_are_read = self.keys_are_read or bool(what.get("key_is_read"))
        elif "unasked" in what:
            state.request, state.asking_key, state.in_doubt = None, None, False
        elif "ended" in what:
            state.ended, state.failure = True, what["ended"]
            state.request, state.asking_key, state.in_doubt = None, None, False

    def _load(self) -> None:
        for line in _read(self._journal):
            self._apply(self.of(line["key"]), line)
        lost = False
        for line in _read(self._manifest):
            key = line.pop("key")
            if (self.folder / line["file"]).exists():
                self.of(key).entries[line["index"]] = line
            else:
                lost = True
                self.of(key).ended = False  # it is asked for again
        if lost:
            self._rewrite()

    def _rewrite(self) -> None:
        """Leave out of the manifest what is no longer there."""
        self._manifest.seek(0)
        self._manifest.truncate()
        for key, state in self.states.items():
            for entry in state.entries.values():
                _append(self._manifest, {**entry, "key": key})


def _opened(path: Path) -> IO[bytes]:
    try:
        file = path.open("ab+")
    except OSError as error:
        raise Failure(Exit.USAGE, f"{path} cannot be written: {error.strerror}.") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        message = f"Another `horde` is working on {path.parent}; please wait until it has ended."
        raise Failure(Exit.USAGE, message) from None
    return file


def _read(file: IO[bytes]) -> Iterator[dict[str, Any]]:
    """The lines of a file; what follows the last line's end is cut off."""
    file.seek(0)
    whole = 0
    for line in file:
        if not line.endswith(b"\n"):
            break
        whole += len(line)
        try:
            yield json.loads(line)
        except ValueError:
            message = f"{file.name} has a line that is not the batch's own: {line[:80]!r}"
            raise Failure(Exit.USAGE, message) from None
    file.truncate(whole)


def _append(file: IO[bytes], line: dict[str, Any]) -> None:
    file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
    file.flush()
    os.fsync(file.fileno())
