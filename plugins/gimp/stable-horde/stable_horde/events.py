"""Reads a request's server-sent events (WHATWG HTML, 9.2), as far as a horde's stream uses them."""

import json
from collections.abc import Iterator
from typing import Any, Final, NamedTuple, Protocol

from stable_horde.errors import Unreachable
from stable_horde.words import _

MAX_LINE_BYTES: Final = 32 * 1024 * 1024
"""A picture of 20 MiB as base64 fits."""


class Event(NamedTuple):
    """name: status, generation, progress or end. said: what the horde says about it."""

    name: str
    said: dict[str, Any]


class Lines(Protocol):
    """What can be read line by line."""

    def readline(self, limit: int, /) -> bytes:
        """Read a line, or as much of it; nothing at the end."""
        ...


def read(response: Lines) -> Iterator[Event]:
    """Events as their lines come in; comments, unfinished events and what is no JSON are dropped.

    Raises Unreachable for a line that does not end.
    """
    name, data = "", ""
    while line := response.readline(MAX_LINE_BYTES):
        if len(line) == MAX_LINE_BYTES:
            raise Unreachable(_("The horde sent an event that does not end."))
        field, _colon, value = line.decode(errors="replace").rstrip("\r\n").partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data = value
        elif not line.strip():
            said = _object(data)
            if said is not None:
                yield Event(name, said)
            name, data = "", ""


def _object(data: str) -> dict[str, Any] | None:
    try:
        said = json.loads(data)
    except ValueError:
        return None
    return said if isinstance(said, dict) else None
