"""What the horde offers at the moment, for suggestions while somebody types; kept for a minute."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Final, TypeVar

import structlog

from bot.hordes import Hordes
from core.client import HordeError
from core.wire.status import ActiveModel
from core.wire.styles import StyleStable
from core.wire.teams import TeamDetails
from core.wire.workers import WorkerDetails

T = TypeVar("T")

FRESH_SECONDS: Final = 60.0
PATIENCE_SECONDS: Final = 2.0
"""Suggestions have to be there within three."""
MAX_KEPT: Final = 5000

log = structlog.get_logger(__name__)


class Kept:
    """One list of the horde. What was read last is used while it cannot be read again."""

    def __init__(self) -> None:
        self.values: list[object] = []
        self.at = float("-inf")
        self.turn = asyncio.Lock()


class Live:
    """Lists of the horde, each read at most once a minute for everybody."""

    def __init__(self, hordes: Hordes) -> None:
        self._hordes = hordes
        self._kept: dict[str, Kept] = {}

    async def models(self) -> list[ActiveModel]:
        """Models of pictures that are offered, those with most workers first."""
        return await self._of("models", self._models)

    async def text_models(self) -> list[ActiveModel]:
        """The same for texts."""
        return await self._of("text models", self._text_models)

    async def workers(self) -> list[WorkerDetails]:
        """Workers that are online."""
        return await self._of("workers", self._hordes.own.workers.all)

    async def teams(self) -> list[TeamDetails]:
        """All teams."""
        return await self._of("teams", self._hordes.own.teams.all)

    async def styles(self) -> list[StyleStable]:
        """The styles that are used most."""
        return await self._of("styles", self._hordes.own.styles.all)

    async def _models(self) -> list[ActiveModel]:
        found = await self._hordes.own.models.active("image")
        return sorted(found, key=lambda model: -model.count)

    async def _text_models(self) -> list[ActiveModel]:
        return await self._hordes.own.models.active("text")

    async def _of(self, name: str, read: Callable[[], Awaitable[list[T]]]) -> list[T]:
        kept = self._kept.setdefault(name, Kept())
        async with kept.turn:
            if monotonic() - kept.at > FRESH_SECONDS:
                kept.at = monotonic()
                try:
                    async with asyncio.timeout(PATIENCE_SECONDS):
                        kept.values = [*(await read())[:MAX_KEPT]]
                except (HordeError, TimeoutError) as error:
                    log.info("live.unread", what=name, error=type(error).__name__)
        return list(kept.values)  # type: ignore[arg-type] # what `read` gave under this name
