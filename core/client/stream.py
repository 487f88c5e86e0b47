"""Reads server-sent events (WHATWG HTML, 9.2), as far as the horde's own stream uses them."""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from typing import Final

from core.client.errors import UnexpectedAnswer
from core.wire import events

MAX_EVENT_BYTES: Final = 32 * 1024 * 1024
"""A picture of 20 MiB as base64 fits."""


async def read(chunks: AsyncIterable[bytes]) -> AsyncGenerator[events.Event, None]:
    """Read events as their bytes come in; unknown ones, comments and unfinished ones are dropped.

    Raises UnexpectedAnswer for an event that is too long or not what its name says.
    """
    name, data, size = "", list[str](), 0
    async for line in _lines(chunks):
        if line:
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "event":
                name = value
            elif field == "data":
                data.append(value)
                size += len(value)
                if size > MAX_EVENT_BYTES:
                    raise UnexpectedAnswer(None, None, "an event that does not end")
            continue
        if data:
            event = _decode(name, "\n".join(data))
            if event is not None:
                yield event
        name, data, size = "", [], 0


def _decode(name: str, data: str) -> events.Event | None:
    try:
        return events.decode(name, data)
    except ValueError:
        raise UnexpectedAnswer(None, None, f"an event {name!r} that is malformed") from None


async def _lines(chunks: AsyncIterable[bytes]) -> AsyncIterator[str]:
    r"""Split at \n or \r\n only: JSON may hold characters that `str.splitlines` splits at."""
    rest = bytearray()
    async for chunk in chunks:
        start = len(rest)
        rest += chunk
        while (end := rest.find(b"\n", start)) >= 0:
            yield rest[:end].removesuffix(b"\r").decode(errors="replace")
            del rest[: end + 1]
            start = 0
        if len(rest) > MAX_EVENT_BYTES:
            raise UnexpectedAnswer(None, None, "an event that does not end")
