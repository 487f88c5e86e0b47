"""What the bot does by itself, again and again; what fails is logged and tried at its next turn."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import structlog

from bot import feeds, gifts, parties
from bot.store import gifts as gift_rows
from bot.store import jobs, prompts
from bot.store import parties as party_rows
from bot.store.database import now

if TYPE_CHECKING:
    from bot.app import HordeBot

SHORT_SECONDS: Final = 60.0
NEWS_SECONDS: Final = 600.0
HOUR_SECONDS: Final = 3600.0

log = structlog.get_logger(__name__)

Duty = Callable[[], Awaitable[None]]


async def every(seconds: float, duty: Duty, name: str) -> None:
    """Do it now, and again after each pause."""
    while True:
        try:
            await duty()
        except Exception as error:  # noqa: BLE001 - the top of a loop
            log.warning("duty.failed", duty=name, error=repr(error))
        await asyncio.sleep(seconds)


def of(bot: "HordeBot") -> list[Awaitable[None]]:
    """All duties of a bot."""
    fleet = feeds.Fleet()
    return [
        every(SHORT_SECONDS, lambda: _end_parties(bot), "parties"),
        every(SHORT_SECONDS, lambda: fleet.tell(bot), "workers"),
        every(NEWS_SECONDS, lambda: feeds.tell_news(bot), "news"),
        every(HOUR_SECONDS, lambda: feeds.renew_roles(bot), "roles"),
        every(HOUR_SECONDS, lambda: forget(bot), "forget"),
    ]


async def _end_parties(bot: "HordeBot") -> None:
    async with bot.database.transaction() as connection:
        over = await party_rows.ended(connection)
    for party in over:
        await parties.close(bot, party)


async def forget(bot: "HordeBot") -> None:
    """Delete what is too old."""
    settings, today = bot.settings, now()
    async with bot.database.transaction() as connection:
        await jobs.forget(connection, today - timedelta(days=settings.job_days))
        await prompts.forget(connection, today - timedelta(days=settings.prompt_days))
        await gift_rows.expire(connection, today - timedelta(days=gifts.CLAIM_DAYS))
    for guild, rules in (await bot.rules.every()).items():
        if rules.prompt_days is not None:
            async with bot.database.transaction() as connection:
                await prompts.forget(connection, today - timedelta(days=rules.prompt_days), guild)
