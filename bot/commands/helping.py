"""`/help`: what the bot can do, in one message."""

from typing import Any

import discord
from discord import app_commands

from bot import answering
from bot.commands import reach

LINES = (
    ("`/imagine`", "pictures of what you describe, or of a picture that you attach"),
    ("`/settings`, `/preset`", "sampler, steps and the rest, for all your pictures"),
    ("`/history`", "what you asked for lately"),
    ("`/text`", "a text that goes on where yours ends"),
    ("`/describe`, `/upscale`", "what a picture shows; a larger one"),
    ("`/account login`", "your own kudos count then, and you wait less"),
    ("`/kudos`, `/worker`, `/team`, `/style`", "what you have at the horde"),
    ("`/horde`", "how busy it is, models, workers, news"),
    ("`/rate`", "kudos for rating pictures"),
    ("`/party`", "a thread in which everybody asks by one style"),
    ("right click → Apps", "describe, enlarge or rework a picture; remix an avatar; give kudos"),
)


@reach.everywhere
@app_commands.command(description="What the bot can do.")
async def help(interaction: discord.Interaction) -> None:  # noqa: A001 - the command's name
    """Show all commands."""
    bot = answering.bot_of(interaction)
    embed = discord.Embed(title="Pictures and texts by the horde", url=bot.settings.page)
    embed.description = "\n".join(f"{name}: {what}" for name, what in LINES)
    embed.set_footer(
        text="Your key is kept encrypted until /account logout. Workers of the horde see prompts."
    )
    await answering.say(interaction, embed=embed)


COMMANDS: tuple[Any, ...] = (help,)
