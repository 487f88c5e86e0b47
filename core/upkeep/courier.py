"""The courier: sends what is in the outbox. Each process that does upkeep has one.

Couriers share the outbox without a lease: a letter that one has claimed is skipped by the others.
A host that answers slowly holds up nobody else: it gets few calls at once.
"""

import asyncio
from collections.abc import Collection
from typing import Final

import structlog

from core.db import Database, now
from core.outbox import letters, signing
from core.outbox.tables import Letter
from core.outside import NotAllowed, Outside, OutsideFailure

MAX_AT_ONCE: Final = 50
MAX_FOR_A_HOST: Final = 4
SECONDS: Final = 3.0
"""How long a receiver has to answer."""
PAUSE_SECONDS: Final = 0.5
GONE: Final = 410

_log = structlog.get_logger(__name__)


class Courier:
    """Sends letters as they fall due.

    secret: the secret from which users' keys for verifying are derived.
    """

    def __init__(self, database: Database, outside: Outside, secret: bytes) -> None:
        self._database = database
        self._outside = outside
        self._secret = secret
        self._sending: dict[asyncio.Task[None], str] = {}

    async def run(self) -> None:
        """Run until cancelled. Letters being sent then are sent again by the next courier."""
        try:
            while True:
                try:
                    await self.turn()
                except Exception:  # noqa: BLE001 - the loop's top: it outlives any failure
                    _log.exception("courier failed")
                await asyncio.sleep(PAUSE_SECONDS)
        finally:
            for task in self._sending:
                task.cancel()
            await asyncio.gather(*self._sending, return_exceptions=True)

    async def turn(self) -> Collection[asyncio.Task[None]]:
        """Begin to send what is due. Returns the letters being sent now."""
        room = MAX_AT_ONCE - len(self._sending)
        async with self._database.reading() as session:
            is_due = await letters.is_any_due(session, at=now())
        if not is_due or room <= 0:
            return self._sending.keys()
        async with self._database.writing() as session:
            claimed = await letters.claim(
                session,
                at=now(),
                limit=room,
                per_host=MAX_FOR_A_HOST,
                busy=set(self._sending.values()),
            )
        for letter in claimed:
            task = asyncio.create_task(self._deliver(letter))
            self._sending[task] = letter.host
            task.add_done_callback(self._sending.pop)
        return self._sending.keys()

    async def _deliver(self, letter: Letter) -> None:
        try:
            is_over = await self._send(letter)
            async with self._database.writing() as session:
                if is_over:
                    await letters.end(session, letter.id)
                else:
                    await letters.again(session, letter, at=now())
        except Exception:  # noqa: BLE001 - the task's top; the letter is claimed again later
            _log.exception("letter failed", host=letter.host)

    async def _send(self, letter: Letter) -> bool:
        """Send it once. Returns whether that was the last try."""
        content = letter.body.encode()
        key = signing.key_of(self._secret, letter.user_id)
        signed = signing.signature(key, at=int(now().timestamp()), content=content)
        headers = {signing.SIGNATURE: signed, signing.DELIVERY: str(letter.id)}
        try:
            reply = await self._outside.post(
                letter.url,
                content,
                headers=headers,
                max_bytes=0,
                seconds=SECONDS,
                caller=f"user {letter.user_id}",
            )
        except NotAllowed as refused:
            _log.info("webhook not allowed", host=letter.host, reason=str(refused))
            return True
        except OutsideFailure as failure:
            _log.info("webhook failed", host=letter.host, tries=letter.tries, reason=str(failure))
            return False
        return 200 <= reply.status < 300 or reply.status == GONE  # noqa: PLR2004 - statuses
