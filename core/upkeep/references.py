"""Keeps the model reference fresh: one process fetches it, every process uses the stored copy.

No start waits for the network: until something was fetched, the shipped reference is used.
"""

import asyncio
import hashlib
import os
import socket
from datetime import timedelta
from typing import Final

import structlog

from core.catalog import fetched
from core.catalog.reference import BadReference
from core.db import Database, now
from core.outside import Outside, OutsideFailure
from core.upkeep import lease

EVERY: Final = timedelta(hours=1)
AFTER_FAILURE: Final = timedelta(minutes=5)
LOOK_SECONDS: Final = 30.0
MAX_BYTES: Final = 8 * 1024 * 1024
SECONDS: Final = 30.0

_log = structlog.get_logger(__name__)


class References:
    """Follows the reference at a URL; does nothing if the URL is empty.

    fetches: whether this process takes part in fetching; all use what was fetched.
    """

    def __init__(self, database: Database, outside: Outside, url: str, *, fetches: bool) -> None:
        self._database = database
        self._outside = outside
        self._url = url
        self._fetches = fetches
        self._duty = f"model reference {hashlib.sha256(url.encode()).hexdigest()[:16]}"
        self._holder = ""
        self._digest: str | None = None

    async def run(self) -> None:
        """Run until cancelled. Failures are logged and tried again."""
        while self._url:
            try:
                await self.turn()
            except Exception:  # noqa: BLE001 - the loop's top: it outlives any failure
                _log.exception("model reference failed")
            await asyncio.sleep(LOOK_SECONDS)

    async def turn(self) -> None:
        """Fetch the reference if it is our turn, then use the stored copy."""
        if self._fetches and await self._is_due():
            await self._fetch()
        await self.take_over()

    async def take_over(self) -> None:
        """Use the stored copy, as a start does before anything is fetched."""
        async with self._database.reading() as session:
            self._digest = await fetched.take_over(session, url=self._url, digest=self._digest)

    async def _is_due(self) -> bool:
        """Whether nobody has fetched it for EVERY; if so, the turn is ours.

        The holder is new each time, so that a lease of our own is waited for instead of renewed.
        """
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{os.urandom(4).hex()}"
        async with self._database.writing() as session:
            fence = await lease.take(session, self._duty, self._holder, at=now(), length=EVERY)
        return fence is not None

    async def _fetch(self) -> None:
        try:
            content = await self._outside.get(self._url, max_bytes=MAX_BYTES, seconds=SECONDS)
            async with self._database.writing() as session:
                is_new = await fetched.keep(session, content, url=self._url, at=now())
        except (OutsideFailure, BadReference) as failure:
            _log.warning("model reference not fetched", url=self._url, reason=str(failure))
            async with self._database.writing() as session:
                until = now() + AFTER_FAILURE
                await lease.give_up(session, self._duty, self._holder, at=until)
            return
        if is_new:
            _log.info("model reference fetched", url=self._url)
