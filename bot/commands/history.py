"""`/history`: what somebody asked for lately, to be asked for again in other words."""

from typing import Any, Final

import discord
from discord import app_commands

from bot import answering
from bot.commands import reach, suggest
from bot.pressing import select, view
from bot.refusals import Refused
from bot.store import jobs
from bot.words import cut, plain

MAX_LINE: Final = 120


@reach.everywhere
@app_commands.command(description="What you asked for lately, to ask again.")
async def history(interaction: discord.Interaction) -> None:
    """Show the last prompts of the one who asks, and offer them."""
    await answering.defer(interaction, ephemeral=True)
    bot = answering.bot_of(interaction)
    async with bot.database.transaction() as connection:
        found = await jobs.with_prompts(connection, interaction.user.id, suggest.MAX_CHOICES)
    if not found:
        raise Refused("You have not asked for anything yet: `/imagine` or `/text`.")
    prompts = [job.wanted["prompt"] for job in found]
    lines = [f"{number}. {plain(cut(one, MAX_LINE))}" for number, one in enumerate(prompts, 1)]
    embed = discord.Embed(title="What you asked for", description=cut("\n".join(lines), 4000))
    options = [
        discord.SelectOption(label=cut(job.wanted["prompt"], 100), value=str(job.id))
        for job in found
    ]
    again = select("Ask again …", "past", found[0].id, options)
    await answering.say(interaction, embed=embed, view=view(again))


COMMANDS: tuple[Any, ...] = (history,)
