"""What is to be seen of jobs while they are made, as those who watch a request are told it.

It comes in messages, in pieces where it is long, and is kept for as long as the job is at work and
somebody watches.
"""

from collections.abc import Collection
from typing import Any, Final

from core.events.bus import Message
from core.generation.beats import PROGRESS
from core.wire import events
from core.wire.events import ProgressEvent

MAX_PIECES: Final = 64


class Glimpses:
    """The last event of each job of one request, by the job's index."""

    def __init__(self) -> None:
        self.events: dict[int, bytes] = {}
        self._pieces: dict[int, list[str]] = {}

    def take(self, message: Message) -> bool:
        """Take in a message; False where it tells of something else."""
        if message.get("what") != PROGRESS:
            return False
        index = message["job"]
        number, count, piece = message["piece"]
        if number == 1:
            self._pieces[index] = []
        pieces = self._pieces.get(index, [])
        if number != len(pieces) + 1 or count > MAX_PIECES:
            self._pieces.pop(index, None)  # one was missed
            return True
        pieces.append(piece)
        if number == count:
            del self._pieces[index]
            self.events[index] = _event(message, "".join(pieces))
        return True

    def keep_only(self, indexes: Collection[int]) -> None:
        """Forget what is not at work any more."""
        for index in self.events.keys() - set(indexes):
            del self.events[index]


def _event(message: Message, data: str) -> bytes:
    shown: dict[str, Any] = {message["shown"]: data} if message["shown"] else {}
    return events.encode(
        ProgressEvent(index=message["job"], step=message["step"], steps=message["steps"], **shown)
    )
