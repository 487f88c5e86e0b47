"""Carries events by PostgreSQL's LISTEN and NOTIFY, for several processes without Redis."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import asyncpg  # type: ignore[import-untyped]  # ships no types

from core.events.relay import CHANNEL, Link

CONNECT_SECONDS: Final = 5.0


class PostgresLink:
    """One connection outside the pools: it listens, and sends with autocommit.

    Never part of a transaction: committing one that notifies takes a lock for which all others of
    its kind wait.
    """

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._received: asyncio.Queue[str | None] = asyncio.Queue()

    async def listen(self) -> None:
        """Begin to receive."""
        self._connection.add_termination_listener(lambda _: self._received.put_nowait(None))
        await self._connection.add_listener(
            CHANNEL, lambda _, __, ___, text: self._received.put_nowait(str(text))
        )

    async def send(self, texts: Sequence[str]) -> None:
        """Notify of each text, in one statement."""
        await self._connection.execute(
            f"SELECT pg_notify('{CHANNEL}', text) FROM unnest($1::text[]) AS text",  # noqa: S608
            texts,
        )

    async def receive(self) -> str:
        """The next text. Raises ConnectionError if the server is gone."""
        text = await self._received.get()
        if text is None:
            raise ConnectionError("PostgreSQL closed the connection")
        return text


@asynccontextmanager
async def dial(url: str) -> AsyncIterator[Link]:
    """Connect to the PostgreSQL at `url` (`postgresql://…` or `postgresql+asyncpg://…`)."""
    connection = await asyncpg.connect(
        url.replace("postgresql+asyncpg://", "postgresql://", 1),
        timeout=CONNECT_SECONDS,
        server_settings={"application_name": "horde events"},
    )
    try:
        link = PostgresLink(connection)
        await link.listen()
        yield link
    finally:
        connection.terminate()  # a polite goodbye could wait for a server that no longer answers
