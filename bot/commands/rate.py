"""`/rate`: rating pictures of others, for kudos."""

import re
from typing import Any, Final, cast

import discord
from discord import app_commands

from bot import answering
from bot.commands import common
from bot.hordes import Horde
from bot.refusals import Refused
from core.client import NotFound

STARS: Final = range(1, 11)


@common.everywhere
@app_commands.command(description="Rate pictures of others, for kudos.")
async def rate(interaction: discord.Interaction) -> None:
    """Show a picture to rate."""
    bot = answering.bot_of(interaction)
    await answering.defer(interaction, ephemeral=True)
    await _offer(interaction, await bot.hordes.logged_in(interaction.user.id), "")


class Stars(discord.ui.DynamicItem[discord.ui.Select[Any]], template=r"rate:(?P<id>[\w-]{1,64})"):
    """The stars for one picture of the data set."""

    picture: str

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction,
        item: discord.ui.Item[Any],
        match: re.Match[str],
        /,
    ) -> "Stars":
        """Take the picture's id."""
        del interaction
        made = cls(cast("discord.ui.Select[Any]", item))
        made.picture = match["id"]
        return made

    async def callback(self, interaction: discord.Interaction) -> None:
        """Rate it, and show the next."""
        async with answering.refusing(interaction):
            await answering.defer(interaction, ephemeral=True)
            bot = answering.bot_of(interaction)
            horde = await bot.hordes.logged_in(interaction.user.id)
            chosen = cast("dict[str, Any]", interaction.data or {})["values"][0]
            given = await horde.ratings.rate(self.picture, int(chosen))
            await _offer(interaction, horde, f"{given.reward:g} kudos for you. The next one:")


async def _offer(interaction: discord.Interaction, horde: Horde, said: str) -> None:
    try:
        picture = await horde.ratings.next()
    except NotFound:
        raise Refused(f"{said} There is nothing left to rate for now.".strip()) from None
    options = [discord.SelectOption(label=f"{n} of 10", value=str(n)) for n in STARS]
    chooser: Any = discord.ui.Select(
        placeholder="Stars", custom_id=f"rate:{picture.id}", options=options
    )
    view = discord.ui.View(timeout=None)
    view.add_item(chooser)
    view.stop()
    embed = discord.Embed(title="How good is it? 10 is best.", description=said or None)
    embed.set_image(url=picture.url)
    await answering.say(interaction, embed=embed, view=view)


COMMANDS: tuple[Any, ...] = (rate,)
