"""Who may ask for how much where: limits by role, age-restricted channels, logins."""

from typing import TYPE_CHECKING, Final

import discord

from bot import blocklists
from bot.refusals import Refused
from bot.store import jobs, notes
from bot.store.guilds import RoleLimits, Rules
from bot.wanted import SIZES, Wanted
from bot.words import counted

if TYPE_CHECKING:
    from bot.app import HordeBot

USUAL: Final = RoleLimits(at_once=5, hourly=120)
"""For whom no role says anything."""
ADULT_DMS: Final = "adult dms of {}"


async def check(bot: "HordeBot", interaction: discord.Interaction, wanted: Wanted) -> Wanted:
    """Raise Refused unless this may be asked here; otherwise return it as it may be asked."""
    rules = await bot.rules.of(interaction.guild_id)
    blocklists.check(rules, wanted)
    allowed = of_member(rules, interaction)
    _sizes(allowed, wanted, bot.settings.max_pictures)
    user = interaction.user.id
    async with bot.database.transaction() as connection:
        running = await jobs.running(connection, user)
        lately = await jobs.since(connection, user, interaction.guild_id)
        adult_dms = await notes.get(connection, ADULT_DMS.format(user))
    if allowed.at_once is not None and running >= allowed.at_once:
        raise Refused(
            f"You have {counted(running, 'request')} running, and may have {allowed.at_once} at a "
            "time: wait for one, or cancel it."
        )
    if allowed.hourly is not None and lately >= allowed.hourly:
        raise Refused(
            f"You may ask {counted(allowed.hourly, 'time')} in an hour here. Try again later."
        )
    if rules.login_needed and await bot.hordes.login(user) is None:
        raise Refused("On this server one has to be logged in to ask: `/account login`.")
    nsfw = allowed.nsfw and (is_adult(interaction) or (is_dm(interaction) and bool(adult_dms)))
    return wanted.model_copy(update={"nsfw": nsfw})


def of_member(rules: Rules, interaction: discord.Interaction) -> RoleLimits:
    """What the best of a member's roles allows."""
    ids = {str(interaction.guild_id)}
    if isinstance(interaction.user, discord.Member):
        ids |= {str(number) for number in interaction.user._roles}  # noqa: SLF001 - of any guild
    found = [limits for role, limits in rules.limits.items() if role in ids]
    return _best(found) if found else USUAL


def is_adult(interaction: discord.Interaction) -> bool:
    """Whether the channel is age-restricted; threads are as their channel is."""
    channel = interaction.channel
    if isinstance(channel, discord.Thread) and channel.parent is None:
        return False
    asked = getattr(channel, "is_nsfw", None)
    return bool(asked and asked())


def is_dm(interaction: discord.Interaction) -> bool:
    """Whether nobody else is there."""
    return interaction.guild_id is None and isinstance(interaction.channel, discord.DMChannel)


def _best(found: list[RoleLimits]) -> RoleLimits:
    def most(name: str) -> int | None:
        values: list[int | None] = [getattr(one, name) for one in found]
        return None if None in values else max(value for value in values if value is not None)

    return RoleLimits(
        at_once=most("at_once"),
        hourly=most("hourly"),
        pictures=most("pictures"),
        pixels=most("pixels"),
        steps=most("steps"),
        nsfw=any(one.nsfw for one in found),
    )


def _sizes(allowed: RoleLimits, wanted: Wanted, most: int) -> None:
    pictures = most if allowed.pictures is None else min(most, allowed.pictures)
    if wanted.n > pictures:
        raise Refused(f"You may ask for {pictures} at once here.")
    if allowed.steps is not None and (wanted.steps or 0) > allowed.steps:
        raise Refused(f"You may ask for {allowed.steps} steps here.")
    if allowed.pixels is not None and wanted.size is not None:
        width, height = SIZES[wanted.size]
        if width * height > allowed.pixels:
            raise Refused(f"You may ask for {allowed.pixels:,} pixels here: take a smaller size.")
