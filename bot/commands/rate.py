"""`/rate`: rating pictures of others, for kudos."""

from typing import Any

import discord
from discord import app_commands

from bot import answering
from bot.buttons import STARS
from bot.commands import reach
from bot.hordes import Horde
from bot.pressing import Pressed, view
from bot.refusals import Refused
from core.client import NotFound


@reach.everywhere
@app_commands.command(description="Rate pictures of others, for kudos.")
async def rate(interaction: discord.Interaction) -> None:
    """Show a picture to rate."""
    bot = answering.bot_of(interaction)
    await answering.defer(interaction, ephemeral=True)
    await _offer(interaction, await bot.hordes.logged_in(interaction.user.id), "")


class Stars(Pressed, template=r"rate:(?P<id>[\w-]{1,64})"):
    """The stars for one picture of the data set."""

    async def pressed(self, interaction: discord.Interaction, values: list[str]) -> None:
        """Rate it, and show the next."""
        await answering.defer(interaction, ephemeral=True)
        horde = await answering.bot_of(interaction).hordes.logged_in(interaction.user.id)
        given = await horde.ratings.rate(self.match["id"], int(values[0]))
        await _offer(interaction, horde, f"{given.reward:g} kudos for you. The next one:")


async def _offer(interaction: discord.Interaction, horde: Horde, said: str) -> None:
    try:
        picture = await horde.ratings.next()
    except NotFound:
        raise Refused(f"{said} There is nothing left to rate for now.".strip()) from None
    chooser: Any = discord.ui.Select(
        placeholder="Stars", custom_id=f"rate:{picture.id}", options=STARS
    )
    embed = discord.Embed(title="How good is it? 10 is best.", description=said or None)
    embed.set_image(url=picture.url)
    await answering.say(interaction, embed=embed, view=view(chooser))


COMMANDS: tuple[Any, ...] = (rate,)
