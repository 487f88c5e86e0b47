"""Logins: checked at the horde, stored sealed; and the roles that guilds give for them."""

import contextlib
from typing import TYPE_CHECKING

import discord

from bot import answering, gifts
from bot.hordes import LOG_IN, me
from bot.refusals import Refused
from bot.store import logins
from bot.store.logins import Login
from bot.words import counted, plain
from core.client import NotFound, Unauthenticated
from core.wire.users import UserDetails

if TYPE_CHECKING:
    from bot.app import HordeBot

ANONYMOUS_ID = 0


async def log_in(bot: "HordeBot", user_id: int, *, code: str, key: str) -> str:
    """Log a user in. Returns their alias. Raises Refused and HordeError."""
    if code:
        try:
            key = (await bot.hordes.own.users.log_in(code)).token
        except (NotFound, Unauthenticated):
            raise Refused("That code is not known, used or too old: make another one.") from None
    try:
        found = await bot.hordes.with_key(key).users.me()
    except (NotFound, Unauthenticated):
        raise Refused("The horde does not know that key. Nothing was stored.") from None
    if found.id == ANONYMOUS_ID:
        raise Refused("That is the anonymous key, which everybody has; you need none to ask.")
    login = Login(user_id, bot.keyring.seal(key), found.username, found.id)
    async with bot.database.transaction() as connection:
        await logins.put(connection, login)
    return found.username


async def after_login(bot: "HordeBot", interaction: discord.Interaction) -> None:
    """Give roles, and what was given to them before."""
    horde = await bot.hordes.of(interaction.user.id)
    await set_roles(bot, interaction, await me(horde))
    await gifts.claim(bot, interaction.user.id)


async def set_roles(
    bot: "HordeBot", interaction: discord.Interaction, me: UserDetails | None
) -> None:
    """Give the member the roles of the guild that fit, and take the others."""
    if interaction.guild_id is not None and interaction.guild is not None:
        await roles_of(bot, interaction.guild_id, interaction.user.id, me)


async def roles_of(bot: "HordeBot", guild_id: int, user_id: int, me: UserDetails | None) -> None:
    """Give a member the roles that fit to their account, and take the others."""
    rules = await bot.rules.of(guild_id)
    fits = {
        "login": me is not None,
        "worker": me is not None and me.worker_count > 0,
        "trusted": me is not None and me.trusted,
    }
    for word, role in rules.roles.items():
        change = bot.http.add_role if fits.get(word) else bot.http.remove_role
        with contextlib.suppress(discord.HTTPException):
            await change(guild_id, user_id, int(role), reason="Their account at the horde")


async def show(interaction: discord.Interaction, user: discord.User | discord.Member) -> None:
    """Show who a user is at the horde; more of it to themselves."""
    bot = answering.bot_of(interaction)
    is_own = user.id == interaction.user.id
    await answering.defer(interaction, ephemeral=True)
    login = await bot.hordes.login(user.id)
    if login is None:
        raise Refused(LOG_IN if is_own else "They are not logged in here.")
    horde = bot.hordes.as_login(login) if is_own else bot.hordes.own
    found = await (me(horde) if is_own else horde.users.get(login.horde_id))
    await answering.say(interaction, embed=embed_of(found, is_own=is_own))


def embed_of(user: UserDetails, *, is_own: bool) -> discord.Embed:
    """A user of the horde."""
    embed = discord.Embed(title=plain(user.username), colour=0x3B82F6)
    embed.add_field(name="Kudos", value=f"{user.kudos:,.0f}")
    made = user.records.fulfillment
    asked = user.records.request
    embed.add_field(name="Asked for", value=_results(asked.image, asked.text))
    embed.add_field(name="Made", value=_results(made.image, made.text))
    embed.add_field(name="Workers", value=f"{user.worker_count:,}")
    running = user.active_generations
    if is_own and running is not None:
        count = sum(len(ids or []) for ids in (running.image, running.text, running.alchemy))
        embed.add_field(name="Running now", value=str(count))
    if user.trusted:
        embed.set_footer(text="trusted")
    return embed


def _results(pictures: int, texts: int) -> str:
    return f"{counted(pictures, 'picture')}, {counted(texts, 'text')}"
