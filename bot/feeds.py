"""What is told without being asked: news, workers that come and go, roles that change."""

import contextlib
from typing import TYPE_CHECKING, Final

import discord
import structlog

from bot import accounts
from bot.jobs import place
from bot.store import logins, notes
from bot.words import cut, plain
from core.client import HordeError

if TYPE_CHECKING:
    from bot.app import HordeBot

LAST_NEWS: Final = "last news"
MAX_NEWS: Final = 3
MAX_TOLD: Final = 10
"""Workers in one message."""

log = structlog.get_logger(__name__)


async def tell_news(bot: "HordeBot") -> None:
    """Tell guilds of news that are newer than those told last."""
    channels = [one.news_channel for one in (await bot.rules.every()).values()]
    wanted = [int(channel) for channel in channels if channel]
    if not wanted:
        return
    news = await bot.hordes.own.news()
    titles = [f"{one.date_published} {one.title}" for one in news]
    async with bot.database.transaction() as connection:
        last = await notes.get(connection, LAST_NEWS)
        await notes.put(connection, LAST_NEWS, titles[0] if titles else "")
    if last is None:
        return  # what was there before anybody listened is no news
    fresh = news[: titles.index(last)] if last in titles else news
    for one in reversed(fresh[:MAX_NEWS]):
        embed = discord.Embed(
            title=cut(plain(one.title), 256), description=cut(one.newspiece, 4000)
        )
        for channel in wanted:
            await _send(bot, channel, embed)


class Fleet:
    """Which workers were online at the last look."""

    def __init__(self) -> None:
        self._known: dict[str, str] | None = None

    async def tell(self, bot: "HordeBot") -> None:
        """Tell guilds of workers that came or went."""
        channels = [one.alert_channel for one in (await bot.rules.every()).values()]
        wanted = [int(channel) for channel in channels if channel]
        if not wanted:
            self._known = None
            return
        now = {one.id: one.name for one in await bot.hordes.own.workers.all()}
        before, self._known = self._known, now
        if before is None:
            return
        lines = [f"🟢 {plain(now[one])} is online" for one in now.keys() - before.keys()]
        lines += [f"⚫ {plain(before[one])} is offline" for one in before.keys() - now.keys()]
        if lines:
            embed = discord.Embed(description="\n".join(lines[:MAX_TOLD]))
            for channel in wanted:
                await _send(bot, channel, embed)


async def renew_roles(bot: "HordeBot") -> None:
    """Look again at who has a worker or is trusted, in guilds that give roles for it."""
    guilds = [number for number, rules in (await bot.rules.every()).items() if rules.roles]
    if not guilds:
        return
    async with bot.database.transaction() as connection:
        known = await logins.every(connection)
    for login in known:
        try:
            me = await bot.hordes.own.users.get(login.horde_id)
        except HordeError as error:
            log.info("roles.unknown", error=type(error).__name__)
            continue
        for guild in guilds:
            with contextlib.suppress(discord.HTTPException):
                await bot.http.get_member(guild, login.user_id)
                await accounts.roles_of(bot, guild, login.user_id, me)


async def _send(bot: "HordeBot", channel: int, embed: discord.Embed) -> None:
    try:
        await bot.get_partial_messageable(channel).send(embed=embed, allowed_mentions=place.QUIET)
    except discord.HTTPException as error:
        log.info("feed.not_told", channel=channel, code=error.code)
